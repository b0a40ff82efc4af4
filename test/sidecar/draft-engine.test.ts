import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, describe, expect, test } from 'vitest'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import {
  endAll,
  exitOf,
  generate,
  get,
  isAlive,
  outcome,
  type Progress,
  pixelsOf,
  post,
  progressOf,
  start,
  startUnready,
  untilSampling,
} from '../unit/backends/draft-engine/running-engine.ts'

afterEach(endAll)

describe('generation', () => {
  test('the same request gives the same pixels, another seed or prompt gives others', async () => {
    const engine = await start('--step-ms', '0')
    const other = await start('--step-ms', '3')
    const body = { prompt: 'a lake', seed: 5, sampler_name: 'Euler a' }
    const [image] = (await generate(engine, body)).images
    expect((await generate(engine, body)).images[0]).toBe(image)
    expect((await generate(other, body)).images[0]).toBe(image)
    expect((await generate(engine, { ...body, seed: 6 })).images[0]).not.toBe(image)
    expect((await generate(engine, { ...body, prompt: 'a lake at night' })).images[0]).not.toBe(image)
  })

  test('an image is a PNG of the asked size with its infotext in the parameters chunk', async () => {
    const engine = await start('--step-ms', '0')
    const body = { prompt: 'a forest, fog', negative_prompt: 'people', seed: 42, steps: 3, width: 192, height: 256 }
    const { images, info } = await generate(engine, { ...body, sampler_name: 'DPM++ 2M Karras', cfg_scale: 6.5 })
    expect(await pixelsOf(images[0]!)).toMatchObject({ width: 192, height: 256 })
    const infotext =
      'a forest, fog\nNegative prompt: people\nSteps: 3, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 42, ' +
      'Size: 192x256, Model: StableNew Draft (no model), Version: draft-1'
    expect(info).toMatchObject({ infotexts: [infotext], sd_model_name: 'StableNew Draft (no model)', index_of_first_image: 0 })
    const { body: read } = await post(engine, '/sdapi/v1/png-info', { image: images[0] })
    expect(read).toMatchObject({ info: infotext, items: { parameters: infotext } })
  })

  test('batches and iterations count the seed up, and a seed of -1 becomes one that can be used again', async () => {
    const engine = await start('--step-ms', '0')
    const { images, info } = await generate(engine, { seed: 10, batch_size: 2, n_iter: 2 })
    expect([images.length, info.all_seeds]).toEqual([4, [10, 11, 12, 13]])
    const random = await generate(engine, { seed: -1 })
    const [seed] = random.info.all_seeds
    expect(seed).toBeGreaterThanOrEqual(0)
    expect((await generate(engine, { seed })).images[0]).toBe(random.images[0])
  })

  test('progress only grows, ends at 1, and its picture can be decoded', async () => {
    const engine = await start('--step-ms', '30')
    let running = true
    const job = generate(engine, { steps: 12, n_iter: 2 }).finally(() => {
      running = false
    })
    const seen: Progress[] = []
    while (running) {
      const progress = await progressOf(engine, false)
      if (running && progress.state.job_count !== 0) seen.push(progress)
    }
    await job
    const values = seen.map(({ progress }) => progress)
    expect(values.length).toBeGreaterThan(5)
    expect(values.toSorted((a, b) => a - b)).toEqual(values)
    expect(values.at(-1)).toBeGreaterThan(0.9)
    expect(Math.max(...values)).toBeLessThanOrEqual(1)
    const pictures = seen.flatMap(({ current_image: image }) => (image ? [image] : []))
    expect(new Set(pictures).size).toBeGreaterThan(3)
    expect(await pixelsOf(pictures.at(-1)!)).toMatchObject({ width: 128, height: 128 })
    expect(await progressOf(engine)).toMatchObject({ progress: 0, eta_relative: 0, state: { job_count: 0 }, current_image: null })
  })

  test('per-task progress tells waiting, running and finished tasks apart and sends only new previews', async () => {
    const engine = await start('--step-ms', '40')
    const first = generate(engine, { steps: 15, force_task_id: 'task(one)' })
    await untilSampling(engine)
    const second = generate(engine, { steps: 1, force_task_id: 'task(two)' })
    const ask = async (id: string, preview = -1) =>
      (await post(engine, '/internal/progress', { id_task: id, id_live_preview: preview })).body
    await waitFor(async () => (await ask('task(two)')).queued, 'the second task in the queue')
    expect(await ask('task(two)')).toMatchObject({ active: false, completed: false, textinfo: 'In queue: 1/1' })
    const running = await ask('task(one)')
    expect(running).toMatchObject({
      active: true,
      queued: false,
      live_preview: expect.stringMatching(/^data:image\/png;base64,/),
    })
    const repeated = await ask('task(one)', 10 ** 6)
    expect(repeated.id_live_preview).toBeGreaterThanOrEqual(running.id_live_preview as number)
    await Promise.all([first, second])
    expect(await ask('task(one)')).toMatchObject({ active: false, queued: false, completed: true })
  })

  test('an interrupt ends the job after its step with 200 and the unfinished picture', async () => {
    const engine = await start('--step-ms', '50')
    const body = { prompt: 'orbs', seed: 1, steps: 400, width: 256, height: 256, n_iter: 3 }
    const job = generate(engine, body)
    await untilSampling(engine)
    const askedAt = performance.now()
    expect(await post(engine, '/sdapi/v1/interrupt')).toEqual({ status: 200, body: {} })
    const { images } = await job
    expect(performance.now() - askedAt).toBeLessThan(5000)
    expect(images).toHaveLength(1)
    expect(await pixelsOf(images[0]!)).toMatchObject({ width: 256, height: 256 })
  })

  test('skip goes on with the next iteration', async () => {
    const engine = await start('--step-ms', '50')
    const job = generate(engine, { steps: 20, n_iter: 2 })
    await untilSampling(engine)
    await post(engine, '/sdapi/v1/skip')
    expect((await job).images).toHaveLength(2)
  })

  test('jobs run one at a time in the order they came, and an interrupt does not reach one that waits', async () => {
    const engine = await start('--step-ms', '30')
    const finished: string[] = []
    const run = (id: string, steps: number) => generate(engine, { steps, force_task_id: id }).then(() => finished.push(id))
    const first = run('a', 100)
    await untilSampling(engine)
    const others: Promise<unknown>[] = []
    for (const [id, steps] of [
      ['b', 8],
      ['c', 1],
      ['d', 2],
    ] as const) {
      others.push(run(id, steps))
      await waitFor(
        async () => ((await get(engine, '/internal/pending-tasks')).body.tasks as string[]).includes(id),
        `${id} waits`,
      )
    }
    await post(engine, '/sdapi/v1/interrupt')
    await first
    const second = await waitFor(async () => {
      const { state } = await progressOf(engine)
      return state.sampling_steps === 8 && state.sampling_step > 0 ? state : null
    }, 'the second job')
    expect(second.interrupted).toBe(false)
    await Promise.all(others)
    expect(finished).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a client that goes away does not stop its job', async () => {
    const engine = await start('--step-ms', '30')
    const gone = new AbortController()
    const lost = fetch(`${engine.url}/sdapi/v1/txt2img`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ steps: 20, width: 128, height: 128, force_task_id: 'lost' }),
      signal: gone.signal,
    }).catch((error: Error) => error.name)
    await untilSampling(engine)
    const { sampling_step: step } = (await progressOf(engine)).state
    gone.abort()
    expect(await lost).toBe('AbortError')
    await waitFor(async () => (await progressOf(engine)).state.sampling_step > step, 'a step after the client had gone')
    const completed = async () => (await post(engine, '/internal/progress', { id_task: 'lost' })).body.completed
    await waitFor(completed, 'the job to end')
  })

  test('progress is answered while a large picture is painted', async () => {
    const engine = await start('--step-ms', '0')
    let running = true
    const job = generate(engine, { steps: 4, width: 1536, height: 1536 }).finally(() => {
      running = false
    })
    const waits: number[] = []
    while (running) {
      const askedAt = performance.now()
      await progressOf(engine)
      waits.push(performance.now() - askedAt)
    }
    await job
    // One long block would leave no more than a few answers.
    expect(waits.length).toBeGreaterThan(15)
    expect(waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)]).toBeLessThan(100)
  })

  test('hires fix answers with the larger picture and says so', async () => {
    const engine = await start('--step-ms', '0')
    const { images, info } = await generate(engine, { enable_hr: true, hr_scale: 1.5, denoising_strength: 0.5 })
    expect(await pixelsOf(images[0]!)).toMatchObject({ width: 192, height: 192 })
    expect(info.infotexts[0]).toContain('Size: 128x128')
    expect(info.infotexts[0]).toContain('Denoising strength: 0.5, Hires upscale: 1.5, Hires upscaler: Latent')
  })
})

describe('from pictures', () => {
  test('img2img starts from the given picture, JPEG too, and leaves it out of the echoed parameters', async () => {
    const engine = await start('--step-ms', '0')
    const red = sharp({ create: { width: 200, height: 100, channels: 3, background: '#c01020' } })
    for (const image of [await red.clone().png().toBuffer(), await red.clone().jpeg().toBuffer()]) {
      const body = { init_images: [image.toString('base64')], denoising_strength: 0.05, prompt: 'x', seed: 1 }
      const { images, parameters, info } = await generate(engine, body, 'img2img')
      const { data } = await pixelsOf(images[0]!)
      const middle = (64 * 128 + 64) * 3
      expect(data[middle]).toBeGreaterThan(3 * data[middle + 1]!)
      expect(parameters.init_images).toBeNull()
      expect(info.infotexts[0]).toContain('Denoising strength: 0.05')
    }
  })

  test('what a mask covers in black stays as it was', async () => {
    const engine = await start('--step-ms', '0')
    const image = await sharp({ create: { width: 128, height: 128, channels: 3, background: '#40a060' } })
      .png()
      .toBuffer()
    const mask = await sharp({ create: { width: 128, height: 128, channels: 3, background: '#000' } })
      .png()
      .toBuffer()
    const body = { init_images: [image.toString('base64')], mask: mask.toString('base64'), denoising_strength: 1, seed: 1 }
    const { data } = await pixelsOf((await generate(engine, body, 'img2img')).images[0]!)
    const middle = (64 * 128 + 64) * 3
    expect(data[middle + 1]! - data[middle]!).toBeGreaterThan(60)
  })

  test('an upscaled picture has the size and keeps its parameters', async () => {
    const engine = await start('--step-ms', '0')
    const { images, info } = await generate(engine, { prompt: 'keep me' })
    const body = { image: images[0], upscaler_1: 'Lanczos', upscaling_resize: 1.5 }
    const answer = await post(engine, '/sdapi/v1/extra-single-image', body)
    const image = answer.body.image as string
    expect(await pixelsOf(image)).toMatchObject({ width: 192, height: 192 })
    const texts = (await post(engine, '/sdapi/v1/png-info', { image })).body.items
    expect(texts).toEqual({
      parameters: info.infotexts[0],
      postprocessing: 'Postprocess upscale by: 1.5, Postprocess upscaler: Lanczos',
    })
  })
})

test('the lists and options that a client probes are there', async () => {
  const engine = await start()
  const names = async (path: string) => ((await get(engine, path)).body as unknown as { name: string }[]).map(({ name }) => name)
  expect(await get(engine, '/internal/ping')).toEqual({ status: 200, body: {} })
  expect(await names('/sdapi/v1/samplers')).toContain('DPM++ 2M')
  expect(await names('/sdapi/v1/schedulers')).toContain('karras')
  expect(await names('/sdapi/v1/upscalers')).toContain('Lanczos')
  expect((await get(engine, '/sdapi/v1/sd-models')).body).toMatchObject([{ title: 'StableNew Draft (no model)' }])
  for (const path of ['sd-vae', 'latent-upscale-modes', 'cmd-flags', 'memory', 'scripts', 'embeddings', 'loras']) {
    expect(await get(engine, `/sdapi/v1/${path}`)).toMatchObject({ status: 200 })
  }
  expect(await post(engine, '/sdapi/v1/options', { CLIP_stop_at_last_layers: 2 })).toEqual({ status: 200, body: null })
  expect((await get(engine, '/sdapi/v1/options')).body).toMatchObject({ CLIP_stop_at_last_layers: 2 })
})

describe('the process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it at once with exit code 0, in the middle of a job too', async (signal) => {
    const engine = await start('--step-ms', '100')
    const job = generate(engine, { steps: 100 }).catch(() => 'lost')
    await untilSampling(engine)
    const sentAt = performance.now()
    engine.child.kill(signal)
    expect(await exitOf(engine)).toEqual({ code: 0, signal: null })
    expect(performance.now() - sentAt).toBeLessThan(2000)
    expect(await job).toBe('lost')
  })

  test('its workers are a chain of real processes that end with it', async () => {
    const engine = await start('--workers', '3')
    expect(engine.workers).toHaveLength(3)
    expect(engine.workers.every(isAlive)).toBe(true)
    if (process.platform === 'linux') {
      const parents = engine.workers.map((pid) =>
        Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]),
      )
      expect(parents).toEqual([engine.child.pid, ...engine.workers.slice(0, 2)])
    }
    engine.child.kill('SIGTERM')
    expect(await exitOf(engine)).toEqual({ code: 0, signal: null })
    await waitFor(() => !engine.workers.some(isAlive), 'the workers to be gone')
  })

  test('workers end when the engine is killed', async () => {
    const engine = await start('--workers', '2')
    engine.child.kill('SIGKILL')
    await exitOf(engine)
    await waitFor(() => !engine.workers.some(isAlive), 'the workers to be gone')
  })

  test('with --ignore-term it and its workers outlive SIGTERM and SIGINT, the workers a killed engine too', async () => {
    const engine = await start('--ignore-term', '--workers', '2')
    for (const pid of [engine.child.pid!, ...engine.workers]) {
      process.kill(pid, 'SIGTERM')
      process.kill(pid, 'SIGINT')
    }
    // An answer after the signals shows that they were handled.
    expect(await get(engine, '/internal/ping')).toEqual({ status: 200, body: {} })
    expect((await generate(engine, {})).images).toHaveLength(1)
    expect(engine.workers.every(isAlive)).toBe(true)
    engine.child.kill('SIGKILL')
    expect(await exitOf(engine)).toEqual({ code: null, signal: 'SIGKILL' })
    expect(engine.workers.every(isAlive)).toBe(true)
    for (const pid of engine.workers) process.kill(pid, 'SIGKILL')
    await waitFor(() => !engine.workers.some(isAlive), 'the workers to be gone')
  })

  test('with --watch-stdin it ends with exit code 0 when its standard input does, its workers with it', async () => {
    const engine = await start('--watch-stdin', '--ignore-term', '--workers', '1')
    engine.child.stdin!.end()
    expect(await exitOf(engine)).toEqual({ code: 0, signal: null })
    await waitFor(() => !engine.workers.some(isAlive), 'the worker to be gone')
  })

  test('without --watch-stdin the end of its standard input means nothing', async () => {
    const engine = await start()
    engine.child.stdin!.end()
    expect((await generate(engine, { steps: 1 })).images).toHaveLength(1)
  })

  test('with --startup-ms it listens only after that time', async () => {
    const begunAt = performance.now()
    await start('--startup-ms', '1200')
    expect(performance.now() - begunAt).toBeGreaterThanOrEqual(1200)
  })

  test('it can be ended before it listens, and its workers with it', async () => {
    const engine = startUnready('--startup-ms', '60000', '--watch-stdin', '--ignore-term', '--workers', '2')
    engine.child.stdin!.end()
    expect(await exitOf(engine)).toEqual({ code: 0, signal: null })
  })

  test('the request log has a line for each request with time, task and seed', async () => {
    const file = join(tempDir('draft-engine'), 'requests.log')
    const engine = await start('--step-ms', '0', '--request-log', file)
    await generate(engine, { seed: 77, force_task_id: 'task(x)' })
    await get(engine, '/internal/ping')
    await post(engine, '/sdapi/v1/txt2img', '')
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    const records = lines.map((line) => JSON.parse(line))
    expect(records).toEqual([
      { time: expect.any(String), method: 'POST', path: '/sdapi/v1/txt2img', taskId: 'task(x)', seed: 77 },
      { time: expect.any(String), method: 'GET', path: '/internal/ping', taskId: null, seed: null },
      { time: expect.any(String), method: 'POST', path: '/sdapi/v1/txt2img', taskId: null, seed: null },
    ])
  })

  test.each([
    [['--port', 'x'], 2, /^draft engine: --port must be a whole number.*\n$/],
    [['--what'], 2, /^draft engine: .*--what.*\n$/],
    [['--request-log', join('no', 'such', 'folder', 'x.log')], 1, /^draft engine: .*ENOENT.*\n$/],
  ])('%j is one clear line and an exit code', async (args, code, message) => {
    expect(await outcome(args)).toEqual({ code, out: '', error: expect.stringMatching(message) })
  })

  test('a port in use is one clear line and exit code 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const ended = await outcome(['--port', String(port), '--workers', '1'])
    taken.close()
    expect(ended).toEqual({ code: 1, out: '', error: expect.stringMatching(/^draft engine: .*EADDRINUSE.*\n$/) })
  })

  test('--help names every option', async () => {
    const { code, out } = await outcome(['--help'])
    expect(code).toBe(0)
    const names = ['port', 'host', 'step-ms', 'startup-ms', 'workers', 'ignore-term', 'watch-stdin', 'request-log', 'help']
    for (const name of names) expect(out).toContain(`--${name}`)
  })
})
