import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ApiError, serverError } from './api-error.ts'
import { latentUpscaleModes, models, samplers, schedulers, upscalers } from './catalogue.ts'
import type { Engine } from './engine.ts'
import { parseBody, readFields } from './fields.ts'
import { generate, takeOrder } from './generate.ts'
import { readGenerationFields } from './generation-fields.ts'
import { pngInfo, pngInfoFields } from './png-info.ts'
import { progress, taskProgress, taskProgressFields } from './progress.ts'
import type { RequestLog } from './request-log.ts'
import { upscale, upscaleFields } from './upscale.ts'

/** Holds a 4096² PNG of noise in base64. */
const maxBodyBytes = 96 * 1024 * 1024

/** A1's routes over `engine`. Every request is logged, a generation with its task id and seed as soon as both are known. */
export function createRoutes(engine: Engine, settings: Record<string, unknown>, log: RequestLog): Hono {
  const app = new Hono()
  const v1 = '/sdapi/v1'

  app.onError((error, c) => {
    const answer = error instanceof ApiError ? error : serverError(error.name, error.message)
    return c.json(answer.body, answer.status as ContentfulStatusCode)
  })
  app.notFound((c) => {
    const otherMethod = app.routes.some((route) => route.path === c.req.path && route.method !== 'ALL')
    return otherMethod ? c.json({ detail: 'Method Not Allowed' }, 405) : c.json({ detail: 'Not Found' }, 404)
  })
  app.use(async (c, next) => {
    const generates = c.req.method === 'POST' && /\/(txt2img|img2img)$/.test(c.req.path)
    if (!generates) log({ method: c.req.method, path: c.req.path, taskId: null, seed: null })
    await next()
  })
  app.use(bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.json({ detail: 'Request body too large' }, 413) }))

  for (const kind of ['txt2img', 'img2img'] as const) {
    app.post(`${v1}/${kind}`, async (c) => {
      const record = { method: 'POST', path: c.req.path }
      try {
        const order = takeOrder(kind, readGenerationFields(kind, await body(c)))
        log({ ...record, taskId: order.taskId, seed: order.seed })
        return c.json(await generate(engine, order))
      } catch (error) {
        if (error instanceof ApiError) log({ ...record, taskId: null, seed: null })
        throw error
      }
    })
  }
  app.post(`${v1}/extra-single-image`, async (c) => c.json(await upscale(engine, readFields(upscaleFields, await body(c)))))
  app.post(`${v1}/png-info`, async (c) => c.json(pngInfo(readFields(pngInfoFields, await body(c)))))
  app.get(`${v1}/progress`, async (c) => {
    const query = readFields({ skip: { type: 'bool', default: false } }, { skip: c.req.query('skip_current_image') })
    return c.json(await progress(engine, query.skip === true))
  })
  app.post('/internal/progress', async (c) => c.json(await taskProgress(engine, readFields(taskProgressFields, await body(c)))))
  app.get('/internal/pending-tasks', (c) => c.json({ size: engine.tasks.pending.length, tasks: engine.tasks.pending }))
  app.get('/internal/ping', (c) => c.json({}))
  app.post(`${v1}/interrupt`, (c) => {
    engine.state.interrupted = true
    return c.json({})
  })
  app.post(`${v1}/skip`, (c) => {
    engine.state.skipped = true
    return c.json(null)
  })
  app.get(`${v1}/options`, (c) => c.json(engine.options.all()))
  app.post(`${v1}/options`, async (c) => {
    engine.options.set(await body(c))
    return c.json(null)
  })
  const lists = {
    'sd-models': models,
    'sd-vae': [],
    samplers,
    schedulers,
    upscalers,
    'latent-upscale-modes': latentUpscaleModes,
    embeddings: { loaded: {}, skipped: {} },
    'prompt-styles': [],
    scripts: { txt2img: [], img2img: [] },
    'script-info': [],
    loras: [],
    hypernetworks: [],
    'face-restorers': [],
    'cmd-flags': { api: true, nowebui: false, ...settings },
  }
  for (const [name, list] of Object.entries(lists)) app.get(`${v1}/${name}`, (c) => c.json(list))
  for (const name of ['refresh-checkpoints', 'refresh-vae', 'refresh-loras', 'refresh-embeddings']) {
    // They take A1's lock, so they wait behind a job.
    app.post(`${v1}/${name}`, async (c) => engine.lock.run(async () => c.json(null)))
  }
  for (const name of ['unload-checkpoint', 'reload-checkpoint']) app.post(`${v1}/${name}`, (c) => c.json({}))
  app.get(`${v1}/memory`, (c) => c.json(memory()))
  return app
}

async function body(c: Context): Promise<Record<string, unknown>> {
  return parseBody(await c.req.text(), c.req.header('content-type'))
}

/** Bytes, as A1's `get_memory`; there is no GPU to tell of. */
function memory(): Record<string, unknown> {
  const { rss } = process.memoryUsage()
  const total = process.constrainedMemory() || rss
  const free = process.availableMemory()
  return { ram: { free, used: rss, total: Math.max(total, rss + free) }, cuda: { error: 'unavailable' } }
}
