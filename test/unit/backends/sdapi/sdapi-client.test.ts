import type { ServerResponse } from 'node:http'
import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { GenerateProgress } from '../../../../src-sidecar/backends/backend.ts'
import { backendDeadlines } from '../../../../src-sidecar/backends/backend-deadlines.ts'
import { SdapiClient } from '../../../../src-sidecar/backends/sdapi/sdapi-client.ts'
import { waitFor } from '../../../helpers/wait-for.ts'
import { recipe } from '../../jobs/queue-fixture.ts'
import { type WholeResult, whole } from '../whole-result.ts'
import { json, type ScriptedServer, scriptedServer } from './scripted-server.ts'

const txt2img = '/sdapi/v1/txt2img'
const interrupt = '/sdapi/v1/interrupt'
const progress = '/sdapi/v1/progress'

let png: Buffer
const opened: (() => Promise<void>)[] = []

beforeAll(async () => {
  png = await sharp({ create: { width: 32, height: 24, channels: 3, background: '#c52' } })
    .png()
    .toBuffer()
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(answers: Parameters<typeof scriptedServer>[0]): Promise<{ server: ScriptedServer; client: SdapiClient }> {
  const server = await scriptedServer(answers)
  return { server, client: connect(server.url) }
}

function connect(url: string, more = {}, options = {}): SdapiClient {
  const client = new SdapiClient({ url, ...more }, options)
  opened.push(() => client.close())
  return client
}

const answering = (answer: (response: ServerResponse) => unknown) =>
  serve({ [txt2img]: answer, [progress]: (r) => json(r, { progress: 0 }), [interrupt]: (r) => json(r, {}) }).then((served) => {
    opened.unshift(() => served.server.close())
    return served
  })

const image = (more: object = {}) => ({
  images: [png.toString('base64')],
  parameters: {},
  info: JSON.stringify({ seed: 1, all_seeds: [77], infotexts: ['a cat\nSteps: 20'], sd_model_name: 'model', ...more }),
})

const ask = (client: SdapiClient, signal = new AbortController().signal, onProgress = (_: GenerateProgress) => {}) =>
  whole(client.generate({ recipe: recipe({ negativePrompt: 'blurry', steps: 20 }), seed: 42 }, onProgress, signal))

const asAsked = expect.stringMatching(/^a cat\nNegative prompt: blurry\nSteps: 20, .*Seed: 42, Size: 32x24/)

describe('an image', () => {
  test('is kept although the words beside it are no JSON', async () => {
    const { client } = await answering((r) => json(r, { ...image(), info: 'Steps: 20, not JSON' }))
    expect(await ask(client)).toMatchObject({
      outcome: 'done',
      image: { seed: 42, width: 32, parameters: asAsked, checkpoint: '' },
    })
  })

  test('is asked for in the words of the API, and comes with what was really used', async () => {
    const { server, client } = await answering((r) => json(r, image()))
    const result = await ask(client)
    expect(result).toEqual({
      outcome: 'done',
      image: {
        png: expect.anything(),
        width: 32,
        height: 24,
        seed: 77,
        checkpoint: 'model',
        parameters: 'a cat\nSteps: 20',
        durationMs: expect.any(Number),
      },
    })
    expect(result.outcome === 'done' && Buffer.from(result.image.png).equals(png)).toBe(true)
    expect(server.heard[0]).toEqual({
      method: 'POST',
      path: txt2img,
      authorization: undefined,
      body: {
        prompt: 'a cat',
        negative_prompt: 'blurry',
        sampler_name: 'Euler a',
        scheduler: 'Automatic',
        steps: 20,
        cfg_scale: 7,
        width: 64,
        height: 64,
        seed: 42,
        batch_size: 1,
        n_iter: 1,
        send_images: true,
        save_images: false,
      },
    })
  })

  test('may come without anything said about it', async () => {
    const { client } = await answering((r) => json(r, { images: [`data:image/png;base64,${png.toString('base64')}`] }))
    expect(await ask(client)).toMatchObject({ outcome: 'done', image: { seed: 42, checkpoint: '', parameters: asAsked } })
  })

  test('is the first behind the grids', async () => {
    const grid = await sharp({ create: { width: 99, height: 99, channels: 3, background: '#000' } })
      .png()
      .toBuffer()
    const { client } = await answering((r) =>
      json(r, {
        images: [grid.toString('base64'), png.toString('base64')],
        info: JSON.stringify({ index_of_first_image: 1, infotexts: ['grid', 'one'] }),
      }),
    )
    expect(await ask(client)).toMatchObject({ outcome: 'done', image: { width: 32, parameters: 'one' } })
  })

  test.each(['jpeg', 'webp'] as const)('that comes as %s becomes a PNG', async (format) => {
    const other = await sharp(png).toFormat(format).toBuffer()
    const { client } = await answering((r) => json(r, { images: [other.toString('base64')] }))
    const result = await ask(client)
    if (result.outcome !== 'done') throw new Error(JSON.stringify(result))
    expect(await sharp(result.image.png).metadata()).toMatchObject({ format: 'png', width: 32, height: 24 })
  })

  test('is asked for with user and password where they are set', async () => {
    const { server } = await answering((r) => json(r, image()))
    await ask(connect(`${server.url}/`, { username: 'me', password: 'pä:ss' }))
    expect(server.heard[0]).toMatchObject({ path: txt2img, authorization: `Basic ${btoa('me:p\xc3\xa4:ss')}` })
  })
})

describe('progress', () => {
  test('is followed while the image is made, with each preview once, and never goes back', async () => {
    const held = Promise.withResolvers<void>()
    const preview = Buffer.from('preview').toString('base64')
    const steps = [
      { progress: 0.1, eta_relative: 9.5, state: { sampling_step: 2, sampling_steps: 20 }, current_image: preview },
      { progress: 0.2, eta_relative: 8, state: { sampling_step: 4, sampling_steps: 20 }, current_image: null },
      { progress: 0.5, eta_relative: 0, state: { sampling_step: 10, sampling_steps: 20 }, current_image: preview },
      { progress: 0, eta_relative: 0, state: { sampling_step: 0, sampling_steps: 0 } },
    ]
    const { server, client } = await serve({
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      [progress]: (r) => {
        json(r, steps.shift() ?? { progress: 0 })
        if (steps.length === 0) held.resolve()
      },
    })
    opened.unshift(() => server.close())
    const seen: GenerateProgress[] = []
    expect((await ask(client, undefined, (one) => seen.push(one))).outcome).toBe('done')
    expect(seen).toEqual([
      { step: 2, steps: 20, fraction: 0.1, remainingMs: 9500, preview: Buffer.from('preview') },
      { step: 4, steps: 20, fraction: 0.2, remainingMs: 8000, preview: null },
      { step: 10, steps: 20, fraction: 0.5, remainingMs: null, preview: null },
    ])
    const polls = () => server.heard.filter(({ path }) => path === progress).length
    expect(polls()).toBe(4)
  })

  test.each<[string, (response: ServerResponse) => unknown]>([
    ['is missing', (r) => json(r, { detail: 'Not Found' }, 404)],
    ['is nonsense', (r) => json(r, { progress: 'half' })],
    ['never answers', () => {}],
    ['breaks off', (r) => r.destroy()],
  ])('that %s costs no image', async (_, answer) => {
    const polled = Promise.withResolvers<void>()
    const { server, client } = await serve({
      [txt2img]: async (r) => {
        await polled.promise
        json(r, image())
      },
      [progress]: (r) => {
        polled.resolve()
        answer(r)
      },
    })
    opened.unshift(() => server.close())
    expect((await ask(client)).outcome).toBe('done')
  })
})

describe('an interrupt', () => {
  test('is passed on, and the half-made picture that the server then answers with is none', async () => {
    const held = Promise.withResolvers<void>()
    const { server, client } = await serve({
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      [interrupt]: (r) => {
        json(r, {})
        held.resolve()
      },
    })
    opened.unshift(() => server.close())
    const abort = new AbortController()
    const result = ask(client, abort.signal)
    await waitFor(() => server.heard.length > 0, 'the request')
    const began = performance.now()
    abort.abort()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(performance.now() - began).toBeLessThan(1000)
    expect(server.heard.filter(({ path }) => path === interrupt)).toHaveLength(1)
  })

  test('that the server loses, for it had not begun, is said again', async () => {
    const held = Promise.withResolvers<void>()
    let interrupts = 0
    const { server, client } = await serve({
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      [interrupt]: (r) => {
        json(r, {})
        if (++interrupts === 3) held.resolve()
      },
    })
    opened.unshift(() => server.close())
    const abort = new AbortController()
    const result = ask(client, abort.signal)
    await waitFor(() => server.heard.length > 0, 'the request')
    abort.abort()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(interrupts).toBe(3)
  })

  test.concurrent.each<[string, (response: ServerResponse) => unknown]>([
    ['ignores it', (r) => json(r, {})],
    ['does not know it', (r) => json(r, { detail: 'Not Found' }, 404)],
    ['never answers it', () => {}],
    ['answers it slowly', (r) => void setTimeout(() => json(r, {}), 3000)],
  ])('ends after five seconds where the server %s', async (_, answer) => {
    const server = await scriptedServer({ [txt2img]: () => {}, [interrupt]: answer })
    const client = new SdapiClient({ url: server.url })
    try {
      const abort = new AbortController()
      const result = ask(client, abort.signal)
      await waitFor(() => server.heard.length > 0, 'the request')
      const began = performance.now()
      abort.abort()
      expect(await result).toEqual({ outcome: 'interrupted' })
      const tookMs = performance.now() - began
      expect(tookMs).toBeGreaterThan(4500)
      expect(tookMs).toBeLessThan(6400)
    } finally {
      await client.close()
      await server.close()
    }
  })

  test('that came before the request asks the server nothing', async () => {
    const { server, client } = await answering((r) => json(r, image()))
    expect(await ask(client, AbortSignal.abort())).toEqual({ outcome: 'interrupted' })
    expect(server.heard).toEqual([])
  })

  test('of a server that has gone is one all the same', async () => {
    const { server, client } = await answering(() => {})
    const abort = new AbortController()
    const result = ask(client, abort.signal)
    await waitFor(() => server.heard.length > 0, 'the request')
    abort.abort()
    await server.close()
    expect(await result).toEqual({ outcome: 'interrupted' })
  })
})

const html = '<html><body><h1>Internal Server Error</h1></body></html>'

describe('an answer that is no image rejects the job, and says why', () => {
  test.each<[string, (response: ServerResponse) => unknown, string, RegExp]>([
    [
      '500 with HTML',
      (r) => r.writeHead(500, { 'content-type': 'text/html' }).end(html),
      'backend_rejected',
      /Internal Server Error.*answered 500/,
    ],
    [
      '422 of FastAPI',
      (r) => json(r, { detail: [{ loc: ['body', 'steps'], msg: 'not an integer', type: 'type_error' }] }, 422),
      'backend_rejected',
      /body\.steps: not an integer .*answered 422/,
    ],
    [
      '404 of A1111',
      (r) => json(r, { error: 'HTTPException', detail: 'Sampler not found', body: '', errors: '' }, 404),
      'backend_rejected',
      /Sampler not found/,
    ],
    [
      '500 of A1111',
      (r) => json(r, { error: 'OutOfMemoryError', detail: '', body: '', errors: 'CUDA out of memory' }, 500),
      'backend_out_of_memory',
      /OutOfMemoryError, CUDA out of memory .*answered 500/,
    ],
    ['200 with text', (r) => r.writeHead(200).end('ok'), 'backend_bad_answer', /did not answer with JSON: "ok"/],
    ['200 with half an object', (r) => r.writeHead(200).end('{"images": ['), 'backend_bad_answer', /JSON/],
    ['200 with nothing', (r) => r.writeHead(200).end(), 'backend_bad_answer', /txt2img/],
    ['204', (r) => r.writeHead(204).end(), 'backend_bad_answer', /txt2img/],
    ['no images', (r) => json(r, { images: [], info: '{}' }), 'backend_bad_answer', /images/],
    ['null for images', (r) => json(r, { images: null, info: '{}' }), 'backend_bad_answer', /images/],
    ['a list', (r) => json(r, []), 'backend_bad_answer', /txt2img/],
    ['base64 that is no image', (r) => json(r, { images: [btoa('no image at all')] }), 'backend_bad_answer', /unsupported image/],
    ['an image that is no base64', (r) => json(r, { images: ['%%%'] }), 'backend_bad_answer', /txt2img/],
    [
      'an image that was cut off',
      (r) => json(r, { images: [png.subarray(0, png.length - 30).toString('base64')] }),
      'backend_bad_answer',
      /txt2img/,
    ],
  ])('%s', async (_, answer, code, message) => {
    const { client } = await answering(answer)
    expect(await ask(client)).toEqual({ outcome: 'rejected', problem: { code, message: expect.stringMatching(message) } })
  })

  test('401 says what to set, and never the password', async () => {
    const { server } = await answering((r) => json(r, { detail: 'Incorrect username or password' }, 401))
    const result = await ask(connect(server.url.replace('//', '//me:S3cret@')))
    expect(result).toMatchObject({ outcome: 'rejected', problem: { code: 'backend_rejected' } })
    expect(messageOf(result)).toMatch(/Incorrect username or password .*answered 401.*Set user and password/)
    expect(messageOf(result)).not.toContain('S3cret')
  })
})

const messageOf = (result: WholeResult) => ('problem' in result ? result.problem.message : '')

describe('a server that is not there leaves the job as it was', () => {
  test('connection refused', async () => {
    const server = await scriptedServer({})
    await server.close()
    const result = await ask(connect(server.url))
    expect(result).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'backend_unreachable' } })
    expect(messageOf(result)).toContain(`${server.url}/sdapi/v1/txt2img`)
    expect(messageOf(result)).toMatch(/ECONNREFUSED.*--api/)
  })

  test.each<[string, (response: ServerResponse) => unknown]>([
    ['resets the connection before it answers', (r) => r.destroy()],
    [
      'resets it in the middle of its answer',
      (r) => {
        r.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000000' })
        r.write('{"images": ["', () => r.destroy())
      },
    ],
  ])('one that %s', async (_, answer) => {
    const { client } = await answering(answer)
    expect(await ask(client)).toMatchObject({
      outcome: 'unavailable',
      // It had the request, and may have gone down with it: that counts against the job.
      crashed: true,
      problem: { code: 'backend_unreachable', message: expect.stringContaining('txt2img') },
    })
  })

  test('a name that does not resolve', async () => {
    expect(await ask(connect('http://nowhere.invalid:7860'))).toMatchObject({ outcome: 'unavailable' })
  })
})

describe('the check', () => {
  const signal = new AbortController().signal

  test('passes where the server answers its API', async () => {
    const { server, client } = await serve({ '/sdapi/v1/options': (r) => json(r, { sd_model_checkpoint: 'model' }) })
    opened.unshift(() => server.close())
    await client.check(signal)
  })

  test('says what is wrong', async () => {
    const { client } = await answering(() => {})
    await expect(client.check(signal)).rejects.toMatchObject({
      code: 'backend_rejected',
      message: expect.stringMatching(/404.*--api/),
    })
    await expect(connect('http://127.0.0.1:1').check(signal)).rejects.toMatchObject({ code: 'backend_unreachable' })
  })
})

describe('what a server can', () => {
  const options = { '/sdapi/v1/options': (r: ServerResponse) => json(r, {}) }
  const available = async (client: SdapiClient) =>
    (await client.probe(new AbortController().signal)).filter((one) => one.available).map(({ name }) => name)

  test('is asked for route by route, and without doing anything', async () => {
    const notAllowed = (r: ServerResponse) => json(r, { detail: 'Method Not Allowed' }, 405)
    const { server, client } = await serve({
      ...options,
      [progress]: (r) => json(r, {}),
      [interrupt]: notAllowed,
      '/sdapi/v1/samplers': (r) => json(r, { detail: 'Incorrect username or password' }, 401),
    })
    opened.unshift(() => server.close())
    expect(await available(client)).toEqual(['progress', 'interrupt', 'samplers'])
    expect(new Set(server.heard.slice(1).map(({ method }) => method))).toEqual(new Set(['OPTIONS']))
  })

  test('decides by what progress is followed: of the task alone, where there is that', async () => {
    const held = Promise.withResolvers<void>()
    const preview = `data:image/jpeg;base64,${Buffer.from('preview').toString('base64')}`
    const told = [
      { active: false, queued: true, completed: false },
      { active: true, queued: false, completed: false, progress: 0.25, eta: 4, live_preview: preview, id_live_preview: 3 },
      { active: true, queued: false, completed: false, progress: 0.5, eta: 2, live_preview: null, id_live_preview: 3 },
    ]
    const { server, client } = await serve({
      ...options,
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      [progress]: (r) => json(r, { progress: 0.9 }),
      '/internal/progress': (r, { method }) => {
        json(r, (method === 'POST' && told.shift()) || { active: false, queued: false, completed: true })
        if (told.length === 0) held.resolve()
      },
    })
    opened.unshift(() => server.close())
    await client.probe(new AbortController().signal)
    const seen: GenerateProgress[] = []
    expect((await ask(client, undefined, (one) => seen.push(one))).outcome).toBe('done')
    expect(seen).toEqual([
      { step: 5, steps: 20, fraction: 0.25, remainingMs: 4000, preview: Buffer.from('preview') },
      { step: 10, steps: 20, fraction: 0.5, remainingMs: 2000, preview: null },
    ])
    const { force_task_id } = server.heard.find(({ path }) => path === txt2img)!.body as { force_task_id: string }
    const polls = server.heard.filter(({ path, method }) => path === '/internal/progress' && method === 'POST')
    expect(polls.map(({ body }) => (body as { id_task: string }).id_task)).toEqual(polls.map(() => force_task_id))
    expect((polls[2]!.body as { id_live_preview: number }).id_live_preview).toBe(3)
  })

  test('falls back to the progress of the whole server where it knows no task of ours', async () => {
    const held = Promise.withResolvers<void>()
    const { server, client } = await serve({
      ...options,
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      '/internal/progress': (r) => json(r, { active: false, queued: false, completed: false }),
      [progress]: (r, { method }) => {
        json(r, { progress: 0.4 })
        if (method === 'GET') held.resolve()
      },
    })
    opened.unshift(() => server.close())
    await client.probe(new AbortController().signal)
    const seen: GenerateProgress[] = []
    await ask(client, undefined, (one) => seen.push(one))
    expect(seen[0]).toMatchObject({ fraction: 0.4, step: 8 })
  })

  test('and where it tells nothing, time goes on being told', async () => {
    const held = Promise.withResolvers<void>()
    const { server, client } = await serve({
      ...options,
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
    })
    opened.unshift(() => server.close())
    await client.probe(new AbortController().signal)
    const result = ask(client, undefined, (one) => {
      expect(one).toEqual({ step: 0, steps: 20, fraction: 0, remainingMs: null, preview: null })
      held.resolve()
    })
    expect((await result).outcome).toBe('done')
    expect(server.heard.filter(({ path, method }) => path === progress && method === 'GET')).toEqual([])
  })
})

test('what was really used is recorded from what the server says, also without an infotext', async () => {
  const info = { seed: 9, sampler_name: 'Euler', steps: 12, cfg_scale: 3 }
  const { client } = await answering((r) => json(r, { images: [png.toString('base64')], info: JSON.stringify(info) }))
  const result = await ask(client)
  expect(result).toMatchObject({ outcome: 'done', image: { seed: 9, width: 32, height: 24 } })
  expect(result.outcome === 'done' && result.image.parameters).toMatch(
    /Steps: 12, Sampler: Euler, CFG scale: 3, Seed: 9, Size: 32x24/,
  )
})

describe('a server that stands still in the middle of an image', () => {
  const deadlines = { ...backendDeadlines, stallMs: 900, interruptMs: 300 }
  const standing = (more: object = {}) => ({ progress: 0.5, state: { sampling_step: 10, sampling_steps: 20 }, ...more })

  test('is noticed although it goes on showing a preview, which is asked for every other time', async () => {
    const preview = Buffer.from('preview').toString('base64')
    const server = await scriptedServer({
      [txt2img]: () => {},
      [interrupt]: (r) => json(r, {}),
      [progress]: (r, _, request) => json(r, standing({ current_image: request.url?.endsWith('true') ? null : preview })),
    })
    opened.push(() => server.close())
    const result = await ask(connect(server.url, {}, { deadlines }))
    expect(result).toMatchObject({ outcome: 'unavailable', crashed: true, problem: { code: 'backend_hung' } })
    expect(messageOf(result)).toMatch(/no sign of progress for 0\.9 s.*did not let go of the image within 0\.3 s/)
    const interrupts = server.heard.filter(({ path }) => path === interrupt).length
    expect(interrupts).toBeGreaterThan(0)
  })

  test('and lets go when it is interrupted fails that job alone, and its half-made picture is none', async () => {
    let held = Promise.withResolvers<void>()
    const { server, client } = await serve({
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      [interrupt]: (r) => {
        json(r, {})
        held.resolve()
      },
      [progress]: (r) => json(r, standing()),
    }).then(({ server }) => ({ server, client: connect(server.url, {}, { deadlines }) }))
    opened.unshift(() => server.close())
    const result = await ask(client)
    expect(result).toMatchObject({ outcome: 'rejected', problem: { code: 'timeout' } })
    expect(messageOf(result)).toMatch(/no sign of progress.*gave the image up/)
    held = Promise.withResolvers()
    held.resolve()
    expect((await ask(client)).outcome).toBe('done')
  })

  test.each([
    ['of each task', ['/internal/progress'], { active: true, queued: false, completed: false, progress: 0.5 }],
    ['of all', [], null],
  ])('with progress %s gets no further image until it goes on', async (_, paths, task) => {
    let stands = true
    const server = await scriptedServer({
      '/sdapi/v1/options': (r) => json(r, {}),
      [txt2img]: (r) => (stands ? null : json(r, image())),
      [interrupt]: (r) => json(r, {}),
      [progress]: (r) => json(r, stands ? standing() : { progress: 0 }),
      ...Object.fromEntries(
        paths.map((path) => [
          path,
          (r: ServerResponse) => json(r, stands ? task : { active: false, queued: false, completed: true }),
        ]),
      ),
    })
    opened.push(() => server.close())
    const client = connect(server.url, {}, { deadlines })
    await client.probe(new AbortController().signal)
    expect(await ask(client)).toMatchObject({ outcome: 'unavailable', crashed: true })
    const again = await ask(client)
    expect(again).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'backend_hung' } })
    expect(messageOf(again)).toContain('still hangs')
    expect(server.heard.filter(({ path }) => path === txt2img)).toHaveLength(1)
    stands = false
    expect((await ask(client)).outcome).toBe('done')
  })
})

describe('a proxy in front of the server', () => {
  const page = '<html><head><title>Bad Gateway</title></head></html>'

  test.each([
    [502, 'does not reach it'],
    [503, 'does not reach it'],
    [530, 'does not reach it'],
  ])('that answers %i is told from the server, and the job is as good as before', async (status, what) => {
    const { server, client } = await answering((r) => r.writeHead(status, { 'content-type': 'text/html' }).end(page))
    const result = await ask(client)
    expect(result).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'backend_unreachable' } })
    expect(messageOf(result)).toBe(
      `A proxy in front of the server ${what} (POST ${server.url}/sdapi/v1/txt2img answered ${status}). Is the server running, and started with --api?`,
    )
  })

  test.each([504, 524])('that gives up waiting (%i) has the image taken back, and it counts against the job', async (status) => {
    const { server, client } = await answering((r) => r.writeHead(status).end('upstream timed out'))
    const result = await ask(client)
    expect(result).toMatchObject({ outcome: 'unavailable', crashed: true, problem: { code: 'backend_unreachable' } })
    expect(messageOf(result)).toMatch(
      /gave up waiting .*: upstream timed out\).*longer time limit, or set the address of the server itself/,
    )
    expect(server.heard.map(({ path }) => path)).toContain(interrupt)
  })

  test('that loses the server in the middle of an image counts it against the job: it may have gone down with it', async () => {
    const { server, client } = await serve({
      [txt2img]: async (r) => {
        await waitFor(() => server.heard.filter(({ path }) => path === progress).length > 1, 'progress')
        r.writeHead(502).end(page)
      },
      [progress]: (r) => json(r, { progress: 0.3 }),
    })
    opened.unshift(() => server.close())
    expect(await ask(client)).toMatchObject({ outcome: 'unavailable', crashed: true })
  })
})

describe('the memory of the model', () => {
  const unload = '/sdapi/v1/unload-checkpoint'
  const reload = '/sdapi/v1/reload-checkpoint'
  const never = new AbortController().signal
  const paths = (server: ScriptedServer) => server.heard.map(({ path }) => path).filter((path) => path !== progress)
  const serving = (answers: Parameters<typeof scriptedServer>[0]) =>
    serve({ [txt2img]: (r) => json(r, image()), [progress]: (r) => json(r, { progress: 0 }), ...answers }).then((served) => {
      opened.unshift(() => served.server.close())
      return served
    })

  test('is given back, and the model is brought back before the next image, once', async () => {
    const { server, client } = await serving({ [unload]: (r) => json(r, {}), [reload]: (r) => r.writeHead(204).end() })
    expect(await client.freeMemory(never)).toBe(true)
    for (let time = 0; time < 2; time++) expect((await ask(client)).outcome).toBe('done')
    expect(paths(server)).toEqual([unload, reload, txt2img, txt2img])
  })

  test('is not given back in the middle of an image, which that would break', async () => {
    const held = Promise.withResolvers<void>()
    const { server, client } = await serving({
      [txt2img]: async (r) => {
        await held.promise
        json(r, image())
      },
      [unload]: (r) => json(r, {}),
    })
    const making = ask(client)
    await expect(client.freeMemory(never)).rejects.toMatchObject({ code: 'conflict' })
    held.resolve()
    expect((await making).outcome).toBe('done')
    expect(paths(server)).not.toContain(unload)
  })

  test("nor in the middle of somebody else's", async () => {
    const { server, client } = await serving({ [progress]: (r) => json(r, { progress: 0.2 }), [unload]: (r) => json(r, {}) })
    await expect(client.freeMemory(never)).rejects.toMatchObject({ code: 'conflict' })
    expect(paths(server)).toEqual([])
  })

  test('stays where the server has no word for it', async () => {
    const { client } = await serving({})
    expect(await client.freeMemory(never)).toBe(false)
  })

  test('is waited for by an image that begins meanwhile', async () => {
    const held = Promise.withResolvers<void>()
    const { server, client } = await serving({
      [unload]: async (r) => {
        await held.promise
        json(r, {})
      },
      [reload]: (r) => json(r, {}),
    })
    const freeing = client.freeMemory(never)
    await waitFor(() => paths(server).length > 0, 'the request')
    const making = ask(client)
    held.resolve()
    expect([await freeing, (await making).outcome]).toEqual([true, 'done'])
    expect(paths(server)).toEqual([unload, reload, txt2img])
  })
})
