import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Job, Queue } from '../../src-sidecar/contract/job.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { readPngText } from '../../src-sidecar/history/png-text.ts'
import { type ComfyuiScript, ScriptedComfyui } from '../helpers/comfyui/scripted-comfyui.ts'
import {
  closeSidecar,
  type RunningSidecar,
  useBackends,
  waitForEmptyQueue,
  waitForJob,
  waitForSteps,
} from '../helpers/sidecar.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start: startApp, endAfter } = trackSidecars()

async function start(script: Partial<ComfyuiScript> = {}): Promise<{ server: ScriptedComfyui; app: RunningSidecar }> {
  const comfyui = await new ScriptedComfyui(script).start()
  endAfter(() => comfyui.die())
  const sidecar = await startApp()
  await useBackends(sidecar, { kind: 'comfyui', url: comfyui.url })
  return { server: comfyui, app: sidecar }
}

test('a queue of jobs on a ComfyUI becomes images with rows, each once', async () => {
  const { server, app } = await start()
  const ids = await app.queue('example/portraits.txt', { images: 2, settings: { steps: 6, width: 128, height: 96 } })
  const { images, total } = await waitForEmptyQueue(app)
  expect(total).toBe(ids.length * 2)
  expect(new Set(images.map(({ jobId, imageIndex }) => `${jobId}/${imageIndex}`)).size).toBe(total)
  expect(server.executed).toHaveLength(total)
  for (const image of images) {
    const { recipe } = image
    expect(image).toMatchObject({
      width: 128,
      height: 96,
      checkpoint: 'anything.safetensors',
      seed: recipe.seed + image.imageIndex,
    })
    const png = readFileSync(image.path)
    expect(readPngText(png, 'parameters')).toBe(image.parameters)
    expect(JSON.parse(readPngText(png, 'prompt')!)['5'].inputs.seed).toBe(image.seed)
    expect(image.backend).toBe(`ComfyUI at ${new URL(server.url).host}`)
  }
  const [backend] = (await app.get<Status>('/api/status')).backends
  expect(backend).toMatchObject({ kind: 'comfyui', state: 'ready' })
  expect(backend?.capabilities).toContainEqual({ name: 'loras', available: true })
  expect(await closeSidecar(app)).toMatchObject({ code: 0 })
  expect(server.connections).toBe(0)
})

test('a cancelled running job lets go of ComfyUI, which makes the next one', async () => {
  const { server, app } = await start({ stepMs: 40 })
  const [first, second] = await app.queue('example/landscapes.txt', { prompts: [0, 1], settings: { steps: 400 } })
  const queue = await waitForSteps(app)
  expect(queue.progress[0]?.steps).toBe(400)
  await waitFor(async () => (await app.request(`/api/jobs/${first}/preview`)).status === 200, 'a preview')
  const before = performance.now()
  expect(await app.post<Job>(`/api/jobs/${first}/cancel`)).toMatchObject({ state: 'cancelled' })
  expect(performance.now() - before).toBeLessThan(3000)
  server.script.stepMs = 0
  await waitForJob(app, second!, 'completed')
  expect((await waitForEmptyQueue(app)).total).toBe(1)
  expect(await closeSidecar(app)).toMatchObject({ code: 0 })
})

test('Exit with a running image takes our prompt back, and the job goes on at the next start', async () => {
  const { server, app } = await start({ stepMs: 40 })
  const [id] = await app.queue('example/landscapes.txt', { prompts: [0], settings: { steps: 400 } })
  await waitForSteps(app)
  await app.post('/api/shutdown', { trigger: 'exit-button', runningImage: 'cancel' })
  expect(await app.ended).toMatchObject({ code: 0 })
  expect(server.queue).toEqual({ running: null, pending: [] })
  server.script.stepMs = 0
  const sidecar = await startApp({ dataDir: app.dataDir })
  await waitForJob(sidecar, id!, 'completed')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a ComfyUI that dies gives its job back; a job that took it down three times is quarantined, and the next one runs', async () => {
  const { server, app } = await start({ stepMs: 10 })
  server.script.onStep = async (step) => {
    if (step === 3 && server.executed.length <= 3) {
      await server.die()
      await server.start()
    }
  }
  const [bad, good] = await app.queue('example/portraits.txt', { prompts: [0, 1], settings: { steps: 8 } })
  const quarantined = await waitFor(
    async () => {
      await app.post('/api/queue/resume')
      const { ended } = await app.get<Queue>('/api/queue')
      return ended.find(({ id, state }) => id === bad && state === 'quarantined')
    },
    'the quarantine',
    { ms: 30_000, everyMs: 200 },
  )
  expect(quarantined).toMatchObject({ attempt: 3, problem: { code: 'backend_unreachable' } })
  await waitForJob(app, good!, 'completed')
  expect((await waitForEmptyQueue(app)).total).toBe(1)
  expect(await closeSidecar(app)).toMatchObject({ code: 0 })
})
