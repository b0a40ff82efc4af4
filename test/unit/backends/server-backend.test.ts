import sharp from 'sharp'
import { afterEach, describe, expect, test } from 'vitest'
import { backendDeadlines } from '../../../src-sidecar/backends/backend-deadlines.ts'
import { SdapiClient } from '../../../src-sidecar/backends/sdapi/sdapi-client.ts'
import { ServerBackend } from '../../../src-sidecar/backends/server-backend.ts'
import type { BackendStatus } from '../../../src-sidecar/contract/status.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { recipe } from '../jobs/queue-fixture.ts'
import { json, type ScriptedServer, scriptedServer } from './sdapi/scripted-server.ts'

const servers: ScriptedServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(answers: Parameters<typeof scriptedServer>[0]): Promise<ScriptedServer> {
  const server = await scriptedServer(answers)
  servers.push(server)
  return server
}

const never = new AbortController().signal

function backendAt(url: string, lookEveryMs?: number) {
  const told: BackendStatus[] = []
  const settings = { id: 'one', name: '', kind: 'sdapi', url } as const
  const backend: ServerBackend = new ServerBackend(
    settings,
    'WebUI',
    new SdapiClient({ url }),
    () => told.push(backend.status),
    lookEveryMs,
  )
  return { backend, told }
}

test('is ready when its server answers, and says its state only when that changes', async () => {
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  const server = await serve({
    '/sdapi/v1/options': (r) => json(r, {}),
    '/sdapi/v1/txt2img': (r) => json(r, { images: [picture.toString('base64')] }),
  })
  const { backend, told } = backendAt(server.url)
  expect(backend.status).toMatchObject({ kind: 'sdapi', state: 'stopped', name: `WebUI at ${new URL(server.url).host}` })
  await backend.start()
  await waitFor(() => backend.status.state === 'ready', 'the server')
  expect((await backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)).outcome).toBe('done')
  expect(told.map(({ state }) => state)).toEqual(['ready'])
  await backend.stop()
  expect(await backend.closed).toEqual({ name: backend.name })
})

test('has failed while its server is not there, and the start does not wait for it', async () => {
  const { backend, told } = backendAt('http://127.0.0.1:1')
  await backend.start()
  await waitFor(() => backend.status.state === 'failed', 'the refusal')
  expect(backend.status.problem).toMatchObject({ code: 'backend_unreachable' })
  await backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)
  expect(told.at(-1)?.state).toBe('failed')
  await backend.stop()
})

test('that hangs is told to be restarted by its user, and gets no job until it goes on', async () => {
  let stands = true
  const server = await serve({
    '/sdapi/v1/options': (r) => json(r, {}),
    '/sdapi/v1/progress': (r) => json(r, { progress: stands ? 0.4 : 0 }),
    '/sdapi/v1/txt2img': () => {},
    '/sdapi/v1/interrupt': (r) => json(r, {}),
  })
  const deadlines = { ...backendDeadlines, stallMs: 600, interruptMs: 200 }
  const client = new SdapiClient({ url: server.url }, { deadlines })
  const backend = new ServerBackend({ id: 'one', name: '', kind: 'sdapi', url: server.url }, 'WebUI', client, () => {})
  await backend.start()
  const make = () => backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)
  const problem = { code: 'backend_hung', message: expect.stringMatching(/for 0\.6 s.*within 0\.2 s\. Restart it: StableNew/) }
  expect(await make()).toEqual({ outcome: 'unavailable', crashed: true, problem })
  expect(backend.status).toMatchObject({ state: 'failed', problem })
  expect(await make()).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'backend_hung' } })
  expect(await backend.reach(never)).toBe(false)
  expect(backend.status.problem).toMatchObject({
    code: 'backend_hung',
    message: expect.stringMatching(/still hangs.*Restart it/),
  })
  expect(server.heard.filter(({ path }) => path === '/sdapi/v1/txt2img')).toHaveLength(1)
  stands = false
  expect([await backend.reach(never), backend.status.state]).toEqual([true, 'ready'])
  await backend.stop()
})

test('that takes connections and says nothing gets no image', async () => {
  const server = await serve({ '/sdapi/v1/options': () => {}, '/sdapi/v1/txt2img': () => {} })
  const client = new SdapiClient({ url: server.url }, { deadlines: { ...backendDeadlines, quickMs: 200 } })
  const backend = new ServerBackend({ id: 'one', name: '', kind: 'sdapi', url: server.url }, 'WebUI', client, () => {})
  await backend.start()
  const result = await backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)
  expect(result).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { code: 'timeout' } })
  expect(server.heard.map(({ path }) => path)).not.toContain('/sdapi/v1/txt2img')
  await backend.stop()
})

describe('its stop', () => {
  test('interrupts what is being made, and tells of nothing more', async () => {
    const held = Promise.withResolvers<void>()
    const server = await serve({
      '/sdapi/v1/options': (r) => json(r, {}),
      '/sdapi/v1/txt2img': async (r) => {
        await held.promise
        json(r, { images: [] })
      },
      '/sdapi/v1/interrupt': (r) => {
        held.resolve()
        json(r, {})
      },
    })
    const { backend, told } = backendAt(server.url)
    const making = backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)
    await waitFor(() => server.heard.length > 0, 'the request')
    await backend.stop()
    expect(await making).toEqual({ outcome: 'interrupted' })
    expect(server.heard.map(({ path }) => path)).toContain('/sdapi/v1/interrupt')
    expect(told).toEqual([])
  })

  test('comes before its start, and twice', async () => {
    const { backend, told } = backendAt('http://127.0.0.1:1')
    await Promise.all([backend.stop(), backend.stop()])
    await backend.closed
    await backend.start()
    expect((await backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)).outcome).toBe('interrupted')
    expect(told).toEqual([])
  })
})

test('asks what its server can once per start of the server: again after it was gone', async () => {
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  let gone = false
  const server = await serve({
    '/sdapi/v1/options': (r) => json(r, {}),
    '/sdapi/v1/progress': (r) => json(r, { progress: 0 }),
    '/sdapi/v1/txt2img': (r) => (gone ? r.destroy() : json(r, { images: [picture.toString('base64')] })),
  })
  const { backend } = backendAt(server.url)
  const make = async () => (await backend.generate({ recipe: recipe(), seed: 1 }, () => {}, never)).outcome
  const probes = () => server.heard.filter(({ path }) => path === '/sdapi/v1/options').length
  await backend.start()
  expect([await make(), await make(), probes()]).toEqual(['done', 'done', 1])
  expect(backend.status.capabilities).toContainEqual({ name: 'progress', available: true })
  expect(backend.status.capabilities).toContainEqual({ name: 'interrupt', available: false })
  gone = true
  expect(await make()).toBe('unavailable')
  expect(backend.status).toMatchObject({ state: 'failed', capabilities: null })
  gone = false
  expect([await make(), await make(), probes()]).toEqual(['done', 'done', 2])
  expect(backend.status.state).toBe('ready')
  await backend.stop()
})

test('that goes away and comes back while nothing is asked of it shows it, and is asked anew what it can', async () => {
  const held = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const timers = held()
  let gone = false
  const server = await serve({
    '/sdapi/v1/options': (r) => {
      if (gone) r.destroy()
      else json(r, {})
    },
  })
  const { backend, told } = backendAt(server.url, 20)
  await backend.start()
  await waitFor(() => backend.status.state === 'ready', 'the server')
  gone = true
  await waitFor(() => backend.status.state === 'failed', 'the loss to show')
  expect(backend.status).toMatchObject({ problem: { code: 'backend_unreachable' }, capabilities: null })
  gone = false
  await waitFor(() => backend.status.state === 'ready', 'the return to show')
  expect(backend.status.capabilities).toContainEqual({ name: 'progress', available: false })
  expect(told.map(({ state }) => state)).toEqual(['ready', 'failed', 'ready'])
  await backend.stop()
  expect(held()).toBeLessThanOrEqual(timers)
})
