import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { end, generate, launch, post, progressOf, type Running } from './running-engine.ts'

describe('bad input is answered as A1 answers it', () => {
  let engine: Running
  beforeAll(async () => {
    engine = await launch('--step-ms', '0')
  })
  afterAll(() => end(engine))

  const invalid = (name: string, type: string) => ({ detail: [{ loc: ['body', name], type, msg: expect.any(String) }] })
  const http = (detail: string) => ({ error: 'HTTPException', detail, body: '', errors: expect.any(String) })
  const image = Buffer.from('not an image').toString('base64')

  test.each<[string, string, unknown, number, unknown]>([
    ['an unknown sampler', 'txt2img', { sampler_name: 'Nope' }, 404, http('Sampler not found')],
    ['a wrong type', 'txt2img', { steps: 'many' }, 422, invalid('steps', 'type_error.integer')],
    ['no JSON', 'txt2img', '{"prompt": ', 422, { detail: [{ type: 'value_error.jsondecode' }] }],
    ['an empty body', 'txt2img', '', 422, { detail: [{ loc: ['body'], type: 'value_error.missing' }] }],
    ['a list as body', 'txt2img', [], 422, { detail: [{ loc: ['body'], type: 'type_error.dict' }] }],
    ['a null width', 'txt2img', { width: null }, 500, { error: 'TypeError' }],
    ['no steps', 'txt2img', { steps: 0 }, 422, invalid('steps', 'value_error.number.not_ge')],
    ['a huge width', 'txt2img', { width: 100_000 }, 422, invalid('width', 'value_error.number.not_le')],
    ['a huge batch', 'txt2img', { width: 4096, height: 4096, batch_size: 5 }, 500, { error: 'OutOfMemoryError' }],
    ['a huge hires size', 'txt2img', { width: 4096, enable_hr: true }, 500, { error: 'OutOfMemoryError' }],
    ['an unknown script', 'txt2img', { script_name: 'x' }, 422, http("Script 'x' not found")],
    ['an unknown always-on script', 'txt2img', { alwayson_scripts: { x: {} } }, 422, http('always on script x not found')],
    ['img2img without an image', 'img2img', {}, 404, http('Init image not found')],
    ['img2img with a broken image', 'img2img', { init_images: [image] }, 500, http('Invalid encoded image')],
    ['img2img with an address', 'img2img', { init_images: ['http://x/y.png'] }, 500, http('Requests not allowed')],
    ['img2img with a number', 'img2img', { init_images: [5] }, 500, http('Invalid encoded image')],
    ['extras with a broken image', 'extra-single-image', { image }, 500, http('Invalid encoded image')],
    ['an unknown upscaler', 'extra-single-image', { image, upscaler_1: 'x' }, 500, { error: 'AssertionError' }],
    ['an unknown checkpoint', 'options', { sd_model_checkpoint: 'x' }, 500, { error: 'RuntimeError' }],
    ['an unknown option', 'options', { nope: 1 }, 500, { error: 'KeyError', errors: "'nope'" }],
    ['png-info without an image', 'png-info', {}, 404, http('Image not found')],
    ['an unknown path', 'nope', {}, 404, { detail: 'Not Found' }],
    ['the wrong method', 'progress', {}, 405, { detail: 'Method Not Allowed' }],
  ])('%s', async (_, path, body, status, expected) => {
    const answer = await post(engine, `/sdapi/v1/${path}`, body)
    expect(answer).toMatchObject({ status, body: expected })
  })

  test('an empty prompt, unknown fields and an unknown checkpoint in override_settings are taken', async () => {
    const { info } = await generate(engine, { nonsense: 1, override_settings: { sd_model_checkpoint: 'x', other: 2 } })
    expect(info.sd_model_name).toBe('StableNew Draft (no model)')
  })

  test('a job that fails leaves the queue free', async () => {
    await post(engine, '/sdapi/v1/img2img', { init_images: [image] })
    expect((await generate(engine, {})).images).toHaveLength(1)
    expect((await progressOf(engine)).state.job_count).toBe(0)
  })
})
