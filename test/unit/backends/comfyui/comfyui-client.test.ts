import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { Recipe, Source } from '../../../../src-sidecar/contract/recipe.ts'
import { readPngText } from '../../../../src-sidecar/history/png-text.ts'
import { previewJpeg } from '../../../helpers/comfyui/comfyui-graph.ts'
import { seededRandom } from '../../../helpers/seeded-random.ts'
import { tempDir } from '../../../helpers/temp-dir.ts'
import { waitFor } from '../../../helpers/wait-for.ts'
import { recipe, smallPng } from '../../jobs/queue-fixture.ts'
import { whole } from '../whole-result.ts'
import { ask, clientFor, comfyui, messageOf } from './comfyui-fixture.ts'

interface PromptBody {
  readonly client_id: string
  readonly prompt_id: string
  readonly prompt: Record<string, { class_type: string; inputs: Record<string, unknown> }>
}

describe('an image', () => {
  test('comes with what was really used, and keeps what ComfyUI wrote into it', async () => {
    const { server, client } = await comfyui()
    const result = await ask(client, { prompt: 'a cat', negativePrompt: 'dog', width: 70 }).result
    if (result.outcome !== 'done') throw new Error(JSON.stringify(result))
    const { image } = result
    expect(image).toMatchObject({ width: 64, height: 48, seed: 42, checkpoint: 'anything.safetensors' })
    expect(image.parameters).toBe(
      'a cat\nNegative prompt: dog\nSteps: 6, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 64x48, Model: anything, Version: StableNew',
    )
    expect(await sharp(image.png).metadata()).toMatchObject({ format: 'png', width: 64, height: 48 })
    expect(readPngText(image.png, 'prompt')).toContain('"KSampler"')
    const { prompt, client_id } = server.heard.find(({ line }) => line === 'POST /prompt')!.body as PromptBody
    expect(client_id).toMatch(/^[0-9a-f-]{36}$/)
    expect(prompt['5']).toMatchObject({
      class_type: 'KSampler',
      inputs: { seed: 42, steps: 6, cfg: 7, sampler_name: 'euler_ancestral', scheduler: 'normal', denoise: 1 },
    })
    await waitFor(() => server.connections === 0, 'the end of the WebSocket')
  })

  test('is asked for only once ComfyUI has greeted on the WebSocket', async () => {
    const { server, client } = await comfyui({ greetAfterMs: 100 })
    await ask(client).result
    const lines = server.heard.map(({ line }) => line)
    expect(lines.indexOf('WS greeted')).toBeGreaterThan(-1)
    expect(lines.indexOf('WS greeted')).toBeLessThan(lines.indexOf('POST /prompt'))
    expect(server.told[0]).toContain('supports_preview_metadata')
  })

  test('leaves nothing in the output folder of ComfyUI', async () => {
    const { server, client } = await comfyui()
    await ask(client).result
    const { prompt } = server.heard.find(({ line }) => line === 'POST /prompt')!.body as PromptBody
    expect(Object.values(prompt).map(({ class_type }) => class_type)).toContain('PreviewImage')
    expect(Object.values(prompt).map(({ class_type }) => class_type)).not.toContain('SaveImage')
  })

  test('that was made before comes from the cache, each time', async () => {
    const { server, client } = await comfyui()
    for (let time = 0; time < 3; time++) expect((await ask(client).result).outcome).toBe('done')
    expect(server.executed).toHaveLength(3)
    expect(new Set(server.heard.filter(({ line }) => line === 'GET /view')).size).toBe(3)
  })

  test('that comes from the cache, and whose file is gone, fails with a sentence', async () => {
    const { server, client } = await comfyui()
    await ask(client).result
    server.removeFiles()
    expect(messageOf(await ask(client).result)).toMatch(/no longer has the picture ComfyUI_temp_00001_\.png.*another seed/)
    expect((await ask(client, {}, 43).result).outcome).toBe('done')
  })

  test('is not taken for done before it is in the history', async () => {
    const { server, client } = await comfyui({ historyDelayMs: 300 })
    expect((await ask(client).result).outcome).toBe('done')
    expect(server.queue).toEqual({ running: null, pending: [] })
  })

  test('waits behind the prompts of others, however long they take', async () => {
    const { server, client } = await comfyui({ stepMs: 60 }, { deadlines: { stallMs: 250 } })
    const graph = { 1: { class_type: 'KSampler', inputs: { steps: 15 } }, 2: { class_type: 'PreviewImage', inputs: {} } }
    const foreign = server.postForeign(graph)
    expect((await ask(client, { steps: 2 }).result).outcome).toBe('done')
    expect(server.executed[0]).toBe(foreign)
  })

  test.each([
    ['the names of an old version', { modern: false }],
    ['the frames of this one', { modern: true }],
  ])('is made by a version that chooses its own ids, with %s', async (_, script) => {
    const { client } = await comfyui(script)
    expect((await ask(client).result).outcome).toBe('done')
  })

  test('is asked for with user and password where they are set, also on the WebSocket', async () => {
    const { server, client } = await comfyui({}, { settings: { username: 'me', password: 'secret' } })
    await ask(client).result
    const requests = server.heard.filter(({ line }) => line !== 'WS greeted')
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set([`Basic ${btoa('me:secret')}`]))
  })
})

describe('the checkpoint', () => {
  const chosen = async (checkpoint: string) => {
    const { client } = await comfyui({}, { settings: { checkpoint } })
    const result = await ask(client).result
    return result.outcome === 'done' ? result.image.checkpoint : messageOf(result)
  }

  test('is the first that ComfyUI has, or the one in the settings, with or without folder and extension', async () => {
    expect(await chosen('')).toBe('anything.safetensors')
    expect(await chosen('sd15/model-b.ckpt')).toBe('sd15/model-b.ckpt')
    expect(await chosen('Model-B')).toBe('sd15/model-b.ckpt')
  })

  test('that is not there is named, with those that are', async () => {
    expect(await chosen('other')).toMatch(/no checkpoint "other".*settings.*anything\.safetensors, sd15\/model-b\.ckpt/)
    const { client } = await comfyui({ checkpoints: [] })
    expect(messageOf(await ask(client).result)).toMatch(/no checkpoint\. Put one into its folder models\/checkpoints/)
  })
})

describe('a recipe', () => {
  const posted = async (more: Partial<Recipe>) => {
    const { server, client } = await comfyui({ upscalers: ['4x-Ultra.pth'] })
    const result = await ask(client, more).result
    const body = server.heard.find(({ line }) => line === 'POST /prompt')?.body as PromptBody | undefined
    const nodes = Object.values(body?.prompt ?? {}).map(({ class_type, inputs }) => ({ class_type, ...inputs }))
    return { result, nodes }
  }

  test.each(['model-b', 'Model-B.ckpt [0123abcd]'])('may name another checkpoint than the settings: %s', async (checkpoint) => {
    const { result } = await posted({ checkpoint })
    expect(result).toMatchObject({ outcome: 'done', image: { checkpoint: 'sd15/model-b.ckpt' } })
  })

  test('with VAE, clip skip and hires fix becomes nodes, and the text of the image has them', async () => {
    const hires = { scale: 1.5, upscaler: '4x-Ultra', steps: 3, denoisingStrength: 0.4 }
    const { result, nodes } = await posted({ vae: 'vae-ft', clipSkip: 2, hires })
    expect(nodes).toContainEqual({ class_type: 'VAELoader', vae_name: 'vae-ft.pt' })
    expect(nodes).toContainEqual(expect.objectContaining({ class_type: 'CLIPSetLastLayer', stop_at_clip_layer: -2 }))
    expect(nodes).toContainEqual({ class_type: 'UpscaleModelLoader', model_name: '4x-Ultra.pth' })
    expect(nodes).toContainEqual(expect.objectContaining({ class_type: 'ImageScale', width: 96, height: 72 }))
    expect(nodes).toContainEqual(expect.objectContaining({ class_type: 'KSampler', steps: 3, denoise: 0.4 }))
    expect(result.outcome === 'done' && result.image.parameters).toContain(
      'VAE: vae-ft, Clip skip: 2, Denoising strength: 0.4, Hires upscale: 1.5, Hires steps: 3, Hires upscaler: 4x-Ultra',
    )
  })

  test.each(['Latent', 'Lanczos'])('scales by %s without a model', async (upscaler) => {
    const { result, nodes } = await posted({ hires: { scale: 2, upscaler, steps: 0, denoisingStrength: 0.5 } })
    expect(result.outcome).toBe('done')
    expect(nodes.filter(({ class_type }) => class_type === 'KSampler')).toMatchObject([{ steps: 6 }, { steps: 6 }])
  })

  test('that begins with a picture uploads it to the temp folder, and uses the name that it got there', async () => {
    const path = join(tempDir('source'), 'cat.png')
    const picture = await sharp({ create: { width: 40, height: 24, channels: 3, background: '#a63' } })
      .png()
      .toBuffer()
    writeFileSync(path, picture)
    const { server, client } = await comfyui({ upscalers: ['4x-Ultra.pth'] })
    const nodes = () => {
      const { prompt } = server.heard.findLast(({ line }) => line === 'POST /prompt')!.body as PromptBody
      return Object.values(prompt).map(({ class_type, inputs }) => ({ class_type, ...inputs }))
    }
    const image = { class_type: 'LoadImage', image: 'stablenew/1-cat.png [temp]' }
    const made = await ask(client, { source: { as: 'img2img', path, denoisingStrength: 0.3 } }).result
    expect(nodes()).toContainEqual(image)
    expect(nodes()).toContainEqual(expect.objectContaining({ class_type: 'KSampler', denoise: 0.3 }))
    expect(made.outcome === 'done' && made.image.parameters).toContain('Denoising strength: 0.3')
    expect(server.uploads.get('1-cat.png')?.equals(picture)).toBe(true)

    for (const [upscaler, node] of [
      ['4x-ultra', 'ImageUpscaleWithModel'],
      ['Lanczos', 'ImageScale'],
    ] as const) {
      const upscaled = await ask(client, { source: { as: 'upscale', path, upscaler, scale: 2.5 } }).result
      expect(upscaled.outcome === 'done' && upscaled.image.parameters).toContain(`Postprocess upscale by: 2.5`)
      expect(nodes()).toContainEqual(image)
      expect(nodes().map(({ class_type }) => class_type)).toContain(node)
      expect(nodes()).toContainEqual(expect.objectContaining({ class_type: 'ImageScale', width: 100, height: 60 }))
    }
  })

  test('that begins with a picture that is gone says which', async () => {
    const { result } = await posted({ source: { as: 'img2img', path: '/nowhere/cat.png', denoisingStrength: 0.3 } })
    expect(messageOf(result)).toMatch(/picture \/nowhere\/cat\.png, with which this job begins, can't be read: ENOENT/)
  })

  test('with a refiner samples the last steps with another checkpoint', async () => {
    const { result, nodes } = await posted({ steps: 10, refiner: { checkpoint: 'model-b', switchAt: 0.8 } })
    expect(nodes.filter(({ class_type }) => class_type === 'KSamplerAdvanced')).toMatchObject([
      { add_noise: 'enable', start_at_step: 0, end_at_step: 8, return_with_leftover_noise: 'enable' },
      { add_noise: 'disable', start_at_step: 8, end_at_step: 10_000, return_with_leftover_noise: 'disable' },
    ])
    expect(nodes).toContainEqual({ class_type: 'CheckpointLoaderSimple', ckpt_name: 'sd15/model-b.ckpt' })
    expect(result.outcome === 'done' && result.image.parameters).toContain('Refiner: model-b, Refiner switch at: 0.8')
  })

  test('as a stage takes the picture of the stage before; for ADetailer there is nothing', async () => {
    const { server, client } = await comfyui({ upscalers: ['4x-Ultra.pth'] })
    const picture = await smallPng()
    const make = (source: Source) =>
      whole(client.generate({ recipe: recipe({ source }), seed: 1, picture }, () => {}, new AbortController().signal))
    expect((await make({ as: 'img2img', path: 'stage-1.png', denoisingStrength: 0.3 })).outcome).toBe('done')
    expect((await make({ as: 'upscale', path: 'stage-2.png', upscaler: '4x-Ultra', scale: 2 })).outcome).toBe('done')
    expect([...server.uploads.values()].every((one) => one.equals(picture))).toBe(true)
    const refused = await make({ as: 'adetailer', path: 'stage-3.png', passes: [] })
    expect(refused.outcome).toBe('rejected')
    expect(messageOf(refused)).toMatch(/ComfyUI has no ADetailer/)
  })

  test('that names a VAE or an upscaler that is not there is refused with those that are', async () => {
    expect(messageOf((await posted({ vae: 'gone' })).result)).toMatch(/no VAE "gone".*vae-ft\.pt/)
    const hires = { scale: 2, upscaler: 'gone', steps: 0, denoisingStrength: 0.5 }
    expect(messageOf((await posted({ hires })).result)).toMatch(/no upscaler "gone".*4x-Ultra\.pth/)
  })
})

describe('progress', () => {
  test('follows the steps with a preview each, and never goes back', async () => {
    const { client } = await comfyui({ stepMs: 10 })
    const { result, seen } = ask(client, { steps: 6 })
    await result
    const fractions = seen.map(({ fraction }) => fraction)
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(new Set(seen.map(({ step }) => step))).toEqual(new Set([1, 2, 3, 4, 5, 6]))
    expect(seen.every(({ steps }) => steps === 6)).toBe(true)
    const previews = seen.flatMap(({ preview }) => (preview === null ? [] : [Buffer.from(preview)]))
    expect(previews).toHaveLength(6)
    expect(previews[0]!.equals(await previewJpeg())).toBe(true)
    expect(seen.at(-1)?.remainingMs).toBe(0)
  })

  test('is the same when each message comes twice, late, or in another order', async () => {
    const chance = seededRandom(7)
    const held: ({ type: string; data: object } | Uint8Array)[] = []
    const { client } = await comfyui(
      {
        tamper: (message) => {
          held.push(message, message)
          // As far apart as two steps are.
          return held.length < 16 ? [] : [0, 0].flatMap(() => held.splice(chance.whole(0, held.length - 1), 1))
        },
      },
      { deadlines: { quickMs: 200 } },
    )
    for (let seed = 0; seed < 3; seed++) {
      held.splice(0)
      const { result, seen } = ask(client, { steps: 20 }, seed)
      expect((await result).outcome).toBe('done')
      const fractions = seen.map(({ fraction }) => fraction)
      expect(fractions.length).toBeGreaterThan(3)
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    }
  })

  test('takes nothing from what is rubbish', async () => {
    const rubbish = [
      '',
      'no JSON',
      '[]',
      'null',
      '{"type":"progress"}',
      '{"type":"progress","data":{"value":"x","max":null,"node":"5"}}',
      '{"type":"progress","data":{"value":-3,"max":-6,"node":"5"}}',
      '{"type":"executed","data":{"node":"7","output":{"images":[{"filename":3}]}}}',
      Buffer.alloc(0),
      Buffer.from([0, 0, 0]),
      Buffer.from([0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3]),
      Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3]),
      Buffer.from([0, 0, 0, 4, 255, 255, 255, 255, 123, 125]),
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 2, 123, 33, 1]),
      Buffer.from([0, 0, 0, 99, 0, 0, 0, 1, 1, 1]),
    ]
    const { server, client } = await comfyui({
      onStep: () => {
        for (const one of rubbish) server.sendRubbish(one)
      },
    })
    const { result, seen } = ask(client)
    expect((await result).outcome).toBe('done')
    expect(seen.filter(({ preview }) => preview !== null)).toHaveLength(6)
    expect(seen.every(({ step, steps }) => step >= 1 && steps === 6)).toBe(true)
  })

  test('takes nothing from the prompt of somebody else, whose end is not ours', async () => {
    const { server, client } = await comfyui({
      stepMs: 20,
      onStep: () => {
        const client_id = (server.heard.find(({ line }) => line === 'POST /prompt')!.body as PromptBody).client_id
        server.send(client_id, 'progress', { value: 6, max: 6, node: '5', prompt_id: 'another' })
        server.send(client_id, 'execution_success', { prompt_id: 'another' })
        server.send(client_id, 'executing', { node: null, prompt_id: 'another' })
      },
    })
    const { result, seen } = ask(client)
    expect((await result).outcome).toBe('done')
    expect(seen.map(({ step }) => step)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
  })
})

describe('without messages', () => {
  test.each([
    ['is refused', 'refuse'],
    ['is mute', 'mute'],
    ['is not answered', 'ignore'],
  ] as const)('a WebSocket that %s costs no image', async (_, socket) => {
    const { server, client } = await comfyui({ socket }, { deadlines: { quickMs: 400 } })
    expect((await ask(client).result).outcome).toBe('done')
    expect(server.executed).toHaveLength(1)
  })

  test('every single one may be lost', async () => {
    const { client } = await comfyui({ tamper: () => [] }, { deadlines: { quickMs: 200 } })
    expect((await ask(client).result).outcome).toBe('done')
  })

  test('a WebSocket that breaks in the middle is made again under the same id, and progress goes on', async () => {
    const { server, client } = await comfyui({
      stepMs: 120,
      onStep: (step) => {
        if (step === 2) server.dropSockets()
      },
    })
    const { result, seen } = ask(client, { steps: 10 })
    expect((await result).outcome).toBe('done')
    expect(server.lines('WS /ws')).toBeGreaterThan(1)
    expect(seen.some(({ step }) => step > 6)).toBe(true)
    expect(server.lines('POST /prompt')).toBe(1)
  })

  test('a history that somebody cleared costs no image either', async () => {
    const { server, client } = await comfyui({
      intercept: (line, response) => {
        if (line.startsWith('GET /history')) response.writeHead(200).end('{}')
        return line.startsWith('GET /history')
      },
    })
    expect((await ask(client).result).outcome).toBe('done')
    expect(server.executed).toHaveLength(1)
  })
})

describe('an interrupt', () => {
  test('ends the running prompt, within the deadline', async () => {
    const { server, client } = await comfyui({ stepMs: 30 })
    const { result, seen, abort } = ask(client, { steps: 500 })
    await waitFor(() => seen.length > 2, 'steps')
    const before = performance.now()
    abort()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(performance.now() - before).toBeLessThan(2000)
    expect(server.queue).toEqual({ running: null, pending: [] })
    await waitFor(() => server.connections === 0, 'the end of the WebSocket')
  })

  test('takes a prompt that waits out of the queue, and does not touch the one that runs', async () => {
    const { server, client } = await comfyui({ modern: false, stepMs: 30 })
    const graph = { 1: { class_type: 'KSampler', inputs: { steps: 40 } }, 2: { class_type: 'PreviewImage', inputs: {} } }
    const foreign = server.postForeign(graph)
    const { result, abort } = ask(client)
    await waitFor(() => server.queue.running === foreign && server.queue.pending[0], 'our prompt in the queue')
    abort()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(server.queue).toEqual({ running: foreign, pending: [] })
    expect(server.lines('POST /interrupt')).toBe(0)
  })

  test('that comes before the posting is answered takes back what was posted', async () => {
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const { server, client } = await comfyui({
      stepMs: 30,
      intercept: async (line) => {
        if (line === 'POST /prompt') await held
        return false
      },
    })
    const { result, abort } = ask(client, { steps: 500 })
    await waitFor(() => server.lines('POST /prompt') === 1, 'the posting')
    abort()
    await waitFor(() => server.lines('GET /queue') > 1, 'a look into the queue')
    letGo()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(server.queue).toEqual({ running: null, pending: [] })
  })

  test('that is lost, for the prompt had not begun, is said again', async () => {
    const { server, client } = await comfyui({
      stepMs: 30,
      intercept: (line, response) => {
        const lost = line === 'POST /interrupt' && server.lines('POST /interrupt') < 3
        if (lost) response.writeHead(200).end()
        return lost
      },
    })
    const { result, seen, abort } = ask(client, { steps: 500 })
    await waitFor(() => seen.length > 0, 'a step')
    abort()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(server.lines('POST /interrupt')).toBeGreaterThanOrEqual(3)
    expect(server.queue.running).toBe(null)
  })

  test('of a server that does not let go ends at its deadline', async () => {
    const { client } = await comfyui(
      {
        stepMs: 30,
        intercept: (line, response) => {
          if (line === 'POST /interrupt') response.writeHead(200).end()
          return line === 'POST /interrupt'
        },
      },
      { deadlines: { interruptMs: 700 } },
    )
    const { result, seen, abort } = ask(client, { steps: 100 })
    await waitFor(() => seen.length > 0, 'a step')
    const before = performance.now()
    abort()
    expect(await result).toEqual({ outcome: 'interrupted' })
    expect(performance.now() - before).toBeGreaterThan(600)
    expect(performance.now() - before).toBeLessThan(2500)
  })

  test('before it began asks the server nothing', async () => {
    const { server, client } = await comfyui()
    expect(await client.generate({} as never, () => {}, AbortSignal.abort())).toEqual({ outcome: 'interrupted' })
    expect(server.heard).toEqual([])
  })
})

describe('a failure', () => {
  test('says in which node and why', async () => {
    const { client } = await comfyui({ failure: { exception_type: 'RuntimeError', exception_message: 'mat1 and mat2 differ' } })
    expect(await ask(client).result).toEqual({
      outcome: 'rejected',
      problem: {
        code: 'backend_rejected',
        message: 'ComfyUI failed in node 5 (KSampler): RuntimeError: mat1 and mat2 differ',
      },
    })
    const other = await comfyui()
    expect((await ask(other.client).result).outcome).toBe('done')
  })

  test.each([
    ['torch.OutOfMemoryError', 'Allocation on device 0 would exceed allowed memory. (out of memory)'],
    ['RuntimeError', 'Could not allocate tensor with 33554432 bytes.'],
  ])('for lack of memory has a name of its own: %s', async (exception_type, exception_message) => {
    const { client } = await comfyui({ failure: { exception_type, exception_message } })
    const result = await ask(client).result
    expect(result).toMatchObject({ outcome: 'rejected', problem: { code: 'backend_out_of_memory' } })
    expect(messageOf(result)).toContain('KSampler')
  })

  test('of the validation names node and value', async () => {
    const { client } = await comfyui({
      intercept: (line, response) => {
        if (line.startsWith('GET /object_info'))
          response.end(JSON.stringify({ CheckpointLoaderSimple: { input: { required: { ckpt_name: [['gone.safetensors']] } } } }))
        return line.startsWith('GET /object_info')
      },
    })
    const result = await ask(client).result
    expect(result).toMatchObject({ outcome: 'rejected', problem: { code: 'backend_rejected' } })
    expect(messageOf(result)).toMatch(/node 1 \(CheckpointLoaderSimple\): Value not in list, ckpt_name: 'gone\.safetensors'/)
  })

  test('is what somebody else has interrupted or removed', async () => {
    const one = await comfyui({ stepMs: 20, onStep: (step) => step === 3 && one.server.interrupt() })
    expect(messageOf(await ask(one.client).result)).toMatch(/interrupted in ComfyUI itself/)
    const { server, client } = await comfyui({ stepMs: 40 })
    const foreign = server.postForeign({
      1: { class_type: 'KSampler', inputs: { steps: 30 } },
      2: { class_type: 'PreviewImage', inputs: {} },
    })
    const { result } = ask(client)
    const ours = await waitFor(() => server.queue.running === foreign && server.queue.pending[0], 'our prompt in the queue')
    server.removePending(ours)
    expect(messageOf(await result)).toMatch(/Somebody removed the prompt/)
  })

  test('of a sampler without counterpart says what to choose', async () => {
    const { client } = await comfyui()
    expect(messageOf(await ask(client, { samplerName: 'PLMS' }).result)).toMatch(/no sampler like A1's PLMS.*Euler a/)
  })
})

describe('a server that dies in the middle', () => {
  test('takes the image with it, which counts against the job', async () => {
    const { server, client } = await comfyui({ stepMs: 20 })
    const { result, seen } = ask(client, { steps: 200 })
    await waitFor(() => seen.length > 2, 'steps')
    await server.die()
    expect(await result).toMatchObject({ outcome: 'unavailable', crashed: true, problem: { code: 'backend_unreachable' } })
    await server.start()
    expect((await ask(client, {}, 7).result).outcome).toBe('done')
  })

  test('and is back at once does not make us wait for what it has forgotten', async () => {
    const { server, client } = await comfyui({ stepMs: 20 }, { deadlines: { lostMs: 5000 } })
    const { result, seen } = ask(client, { steps: 200 })
    await waitFor(() => seen.length > 2, 'steps')
    await server.die()
    await server.start()
    const answer = await result
    expect(answer).toMatchObject({ outcome: 'unavailable', crashed: true })
    expect(messageOf(answer)).toMatch(/started anew/)
  })

  test('was not there to begin with: that counts against nobody', async () => {
    const result = await ask(clientFor('http://127.0.0.1:1')).result
    expect(result).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'backend_unreachable' } })
    expect(messageOf(result)).toMatch(/ECONNREFUSED.*Is ComfyUI running/)
  })
})

test('an answer to the posting that gets lost does not make the prompt twice', async () => {
  const { server, client } = await comfyui({
    intercept: async (line, response, body) => {
      if (line !== 'POST /prompt' || (body as { again?: true }).again) return false
      await fetch(`${server.url}/prompt`, { method: 'POST', body: JSON.stringify({ ...(body as object), again: true }) })
      response.destroy()
      return true
    },
  })
  expect((await ask(client).result).outcome).toBe('done')
  expect(server.executed).toHaveLength(1)
})

test('a server that shows no sign of progress and takes no interrupt hangs, and gets nothing new until it goes on', async () => {
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const { server, client } = await comfyui(
    { onStep: (step) => (step === 3 ? held : null) },
    { deadlines: { stallMs: 700, interruptMs: 400 } },
  )
  const result = await ask(client).result
  expect(result).toMatchObject({ outcome: 'unavailable', crashed: true, problem: { code: 'backend_hung' } })
  expect(messageOf(result)).toMatch(/no sign of progress for 0\.7 s.*did not let go of the image within 0\.4 s/)
  const again = await ask(client).result
  expect(again).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'backend_hung' } })
  expect([messageOf(again), server.lines('POST /prompt')]).toEqual([expect.stringContaining('still hangs'), 1])
  letGo()
  await waitFor(() => server.queue.running === null, 'the end of the prompt')
  expect((await ask(client).result).outcome).toBe('done')
})

test('a server that stands still and lets go when it is interrupted fails that job alone', async () => {
  let stands = true
  const untilAsked = () => waitFor(() => server.lines('POST /interrupt') > 0, 'the interrupt')
  const { server, client } = await comfyui(
    { onStep: (step) => (stands && step === 3 ? untilAsked() : null) },
    { deadlines: { stallMs: 500 } },
  )
  expect(await ask(client).result).toMatchObject({ outcome: 'rejected', problem: { code: 'timeout' } })
  stands = false
  expect((await ask(client).result).outcome).toBe('done')
})

test('after a cancel that the server is slow to take, the next image waits until it has let go', async () => {
  const slow = Promise.withResolvers<void>()
  let stands = true
  const { server, client } = await comfyui(
    { onStep: (step) => (stands && step === 3 ? slow.promise : null) },
    { deadlines: { interruptMs: 300 } },
  )
  const first = ask(client)
  await waitFor(() => first.seen.length > 0, 'a step')
  first.abort()
  expect((await first.result).outcome).toBe('interrupted')
  const second = ask(client)
  await waitFor(() => server.lines('GET /queue') > 3, 'the question')
  expect(server.lines('POST /prompt')).toBe(1)
  stands = false
  slow.resolve()
  expect((await second.result).outcome).toBe('done')
})

test('the probe says what the server has, and that something else is no ComfyUI', async () => {
  const { client } = await comfyui()
  expect(await client.probe(new AbortController().signal)).toEqual([
    { name: 'checkpoints', available: true },
    { name: 'samplers', available: true },
    { name: 'loras', available: true },
    { name: 'upscalers', available: false },
  ])
  const other = await comfyui({ intercept: (_, response) => Boolean(response.end('{}')) })
  await expect(other.client.probe(new AbortController().signal)).rejects.toThrow(/Is it a ComfyUI/)
})

test('ComfyUI is asked to give the memory of its models back, which it does between two prompts', async () => {
  const { server, client } = await comfyui({ intercept: (line, response) => line === 'POST /free' && Boolean(response.end()) })
  expect(await client.freeMemory(new AbortController().signal)).toBe(true)
  expect(server.heard.find(({ line }) => line === 'POST /free')?.body).toEqual({ unload_models: true, free_memory: true })
})
