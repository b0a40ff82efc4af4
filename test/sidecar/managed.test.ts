import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../../src-sidecar/backends/listening-port.ts'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { defaultSettings, type ManagedSettings, type Settings } from '../../src-sidecar/contract/settings.ts'
import type { BackendStatus, Status } from '../../src-sidecar/contract/status.ts'
import { seededRandom } from '../helpers/seeded-random.ts'
import {
  closeSidecar,
  projectFolder,
  type RunningSidecar,
  useBackends,
  waitForEmptyQueue,
  waitForSteps,
} from '../helpers/sidecar.ts'
import { commandLine, liveDescendants, signalSame } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { engineRuns, trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { endAll, start as startEngine } from '../unit/backends/draft-engine/running-engine.ts'

// Registered first, so that it comes last: the check that nothing is left must not see the tests' own servers.
const { baseline, start } = trackSidecars()
afterEach(endAll)

const engineProgram = join(projectFolder, 'src-sidecar/backends/draft-engine/main.ts')
const comfyuiProgram = join(projectFolder, 'test/fixtures/programs/comfyui.ts')
const small = { settings: { steps: 2, width: 64, height: 64 } }
const whole = process.env.STABLENEW_VERIFY === '1'
const kills = whole ? 20 : 3

/** A sidecar whose WebUI is the draft engine, or another command, that it starts itself. */
async function startManaged(engineArgs: string[] = [], managed: Partial<ManagedSettings> = {}, port?: number) {
  const chosen = port ?? (await freePort())
  const backend = {
    id: 'one',
    name: '',
    enabled: true,
    kind: 'sdapi' as const,
    url: `http://127.0.0.1:${chosen}`,
    username: '',
    password: '',
    hungAfterMin: 10,
    managed: {
      command: process.execPath,
      args: [engineProgram, '--port', String(chosen), '--step-ms', '1', ...engineArgs],
      cwd: '',
      env: {},
      startupLimitS: 30,
      startAtLaunch: false,
      ...managed,
    },
  }
  const settings: Settings = {
    ...defaultSettings,
    backends: [backend],
  }
  const dataDir = tempDir('managed')
  writeFileSync(join(dataDir, 'settings.json'), JSON.stringify(settings))
  return { sidecar: await start({ dataDir }), port: chosen, backend }
}

const backendOf = async (sidecar: RunningSidecar): Promise<BackendStatus> =>
  (await sidecar.get<Status>('/api/status')).backends[0]!

/** Waits until the backend's problem says `what`. */
const problemOf = (sidecar: RunningSidecar, what: RegExp): Promise<string> =>
  waitFor(
    async () => {
      const { state, problem } = await backendOf(sidecar)
      return state === 'failed' && problem && what.test(problem.message) ? problem.message : false
    },
    `a problem like ${what}`,
    { ms: 40_000, everyMs: 25 },
  )

const engines = () => liveDescendants().filter(({ pid }) => commandLine(pid).includes('draft-engine/main.ts'))

async function closesWithNothingLeft(sidecar: RunningSidecar): Promise<void> {
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  await baseline.expectNothingLeft()
}

test('a WebUI of ours is started with the first image, not before, and ends with the app, its whole tree', async () => {
  const { sidecar } = await startManaged(['--behind-shell', '--workers', '2', '--startup-ms', '500'])
  expect([await backendOf(sidecar), engines()]).toMatchObject([{ kind: 'sdapi', state: 'stopped', problem: null }, []])
  const ids = await sidecar.queue('example/tiny worlds.txt', small)
  await waitFor(async () => (await backendOf(sidecar)).state === 'starting', 'the start')
  const { total, images } = await waitForEmptyQueue(sidecar)
  expect([total, new Set(images.map(({ jobId }) => jobId)).size]).toEqual([ids.length, ids.length])
  expect(await backendOf(sidecar)).toMatchObject({ state: 'ready', problem: null, capabilities: expect.any(Array) })
  expect(engines().length).toBeGreaterThan(1)
  expect(readFileSync(join(sidecar.dataDir, 'logs/backend-one.log'), 'utf8')).toContain('"event":"listening"')
  await closesWithNothingLeft(sidecar)
})

test('a WebUI that is to start with StableNew is ready before the first image, and ends with the app', async () => {
  const { sidecar } = await startManaged([], { startAtLaunch: true })
  await waitFor(async () => (await backendOf(sidecar)).state === 'ready', 'the WebUI', { ms: 20_000 })
  expect(engines()).not.toHaveLength(0)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  await baseline.expectNothingLeft()
})

test('the app closes in the middle of an image and in the middle of the start, and nothing of the WebUI is left', async () => {
  const busy = await startManaged(['--step-ms', '200', '--workers', '1'])
  await busy.sidecar.queue('example/tiny worlds.txt', { settings: { ...small.settings, steps: 40 } })
  await waitForSteps(busy.sidecar)
  await busy.sidecar.post('/api/shutdown', { trigger: 'exit-button', runningImage: 'cancel' })
  expect(await busy.sidecar.ended).toMatchObject({ code: 0 })
  await baseline.expectNothingLeft()
  const starting = await startManaged(['--startup-ms', '20000', '--workers', '1'])
  await starting.sidecar.queue('example/tiny worlds.txt', small)
  await engineRuns()
  const from = performance.now()
  await closesWithNothingLeft(starting.sidecar)
  expect(performance.now() - from).toBeLessThan(5000)
})

test(
  `a WebUI of ours killed at a random moment of a 50-job queue, ${kills} times: 50 jobs done, each image there once`,
  async () => {
    const random = seededRandom(20)
    const { sidecar } = await startManaged()
    for (let kill = 1; kill <= kills; kill++) {
      const before = (await sidecar.get<ImagePage>('/api/images?limit=1')).total
      const ids = await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: Array(50).fill(0) })
      const killAfter = random.whole(0, 48)
      await waitFor(
        async () => (await sidecar.get<ImagePage>('/api/images?limit=1')).total >= before + killAfter,
        `${killAfter} images`,
        { ms: 30_000, everyMs: 5 },
      )
      const running = await engineRuns()
      await delay(random.whole(0, 60))
      signalSame(running, 'SIGKILL')
      const { images, total } = await waitForEmptyQueue(sidecar)
      const mine = images.filter(({ jobId }) => ids.includes(jobId)).map(({ jobId }) => jobId)
      expect(
        mine.toSorted((a, b) => a - b),
        `after kill ${kill}, at image ${killAfter}`,
      ).toEqual(ids)
      expect(total).toBe(before + 50)
    }
    await closesWithNothingLeft(sidecar)
  },
  kills * 30_000,
)

test('a WebUI that crashes with an image takes the job back to the queue, and its last lines are told', async () => {
  const { sidecar } = await startManaged(['--crash-at', '50'])
  const [id] = await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0] })
  expect(await problemOf(sidecar, /ended by itself/)).toMatch(/exit code 139.*Last lines: .*"event":"listening"/)
  const ended = await waitFor(
    async () => (await sidecar.get<Queue>('/api/queue')).ended.find((job) => job.id === id),
    'the end of the job',
    { ms: 30_000 },
  )
  expect(ended).toMatchObject({ state: 'quarantined', imagesDone: 0 })
  await closesWithNothingLeft(sidecar)
})

// The queue waits half a minute between five starts; the unit test does without the queue.
test.runIf(whole)(
  'a WebUI that ended five times without an image is not started again until the user asks for it',
  async () => {
    const counter = join(tempDir('starts'), 'starts')
    const script = `require('node:fs').appendFileSync(${JSON.stringify(counter)}, 'x'); console.error('no CUDA here'); process.exit(3)`
    const { sidecar } = await startManaged([], { args: ['-e', script] })
    const starts = () => readFileSync(counter, 'utf8').length
    await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0] })
    expect(await problemOf(sidecar, /ended before it was ready/)).toMatch(/exit code 3\). Last lines: no CUDA here/)
    const told = await problemOf(sidecar, /5 times in a row/)
    expect([told, starts()]).toEqual([expect.stringContaining('no CUDA here'), 5])
    await sidecar.post('/api/queue/resume')
    await waitFor(() => starts() > 5, 'another start')
    await closesWithNothingLeft(sidecar)
  },
  90_000,
)

test.each([
  ['a command that is not there', { command: 'no-such-webui' }, /^no-such-webui is not there.*Correct its command and folder/],
  ['a folder that is not there', { cwd: '/no/such/folder' }, /^the working folder \/no\/such\/folder is not there/],
])('%s is named, and the job waits', async (_, managed, message) => {
  const { sidecar } = await startManaged([], managed)
  await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0] })
  await problemOf(sidecar, message)
  const { running, pendingTotal } = await sidecar.get<Queue>('/api/queue')
  expect(running.length + pendingTotal).toBe(1)
  await closesWithNothingLeft(sidecar)
})

test('a WebUI that is not ready within its limit is ended, and what it said last is told', async () => {
  const script = `console.log('loading weights'); setInterval(() => {}, 1000)`
  const { sidecar } = await startManaged([], { args: ['-e', script], startupLimitS: 1 })
  await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0] })
  expect(await problemOf(sidecar, /not ready within 1 s/)).toContain('Last lines: loading weights')
  await closesWithNothingLeft(sidecar)
})

test('a WebUI that its launcher restarts under a new pid is waited for, not started a second time', async () => {
  const port = await freePort()
  const line = `"$0" "$1" --port ${port} --step-ms 1`
  const args = ['-c', `while true; do ${line}; done`, process.execPath, engineProgram]
  const { sidecar } = await startManaged([], { command: '/bin/sh', args }, port)
  const ids = await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: Array(20).fill(0) })
  const launchers = () => liveDescendants().filter(({ pid }) => commandLine(pid).startsWith('/bin/sh -c while'))
  await waitFor(async () => (await sidecar.get<ImagePage>('/api/images?limit=1')).total > 3, 'some images', { ms: 20_000 })
  const before = launchers()
  signalSame(await engineRuns(), 'SIGKILL')
  const { total, images } = await waitForEmptyQueue(sidecar)
  expect([total, new Set(images.map(({ jobId }) => jobId)).size]).toEqual([ids.length, ids.length])
  expect([before.length, launchers()]).toEqual([1, before])
  await closesWithNothingLeft(sidecar)
})

test('settings that are corrected during a start that comes to nothing take hold at once', async () => {
  const { sidecar, backend, port } = await startManaged([], { args: ['-e', 'setInterval(() => {}, 1000)'], startupLimitS: 600 })
  await sidecar.queue('example/tiny worlds.txt', small)
  await waitFor(async () => (await backendOf(sidecar)).state === 'starting', 'the start')
  const args = [engineProgram, '--port', String(port), '--step-ms', '1']
  await useBackends(sidecar, { ...backend, managed: { command: process.execPath, args } })
  const { images } = await waitForEmptyQueue(sidecar)
  expect(images).toHaveLength(6)
  const attempts = (await sidecar.get<Queue>('/api/queue')).ended.map(({ attempt }) => attempt)
  expect(Math.max(...attempts)).toBeLessThanOrEqual(2)
  await closesWithNothingLeft(sidecar)
})

test('a ComfyUI of ours is started with the first image, and ended by SIGINT so that it can clean up', async () => {
  const port = await freePort()
  const managed = { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', comfyuiProgram, String(port)] }
  const { sidecar } = await startManaged()
  await useBackends(sidecar, { kind: 'comfyui', url: `http://127.0.0.1:${port}`, managed })
  expect(await backendOf(sidecar)).toMatchObject({ kind: 'comfyui', state: 'stopped' })
  await sidecar.queue('example/tiny worlds.txt', small)
  expect((await waitForEmptyQueue(sidecar)).total).toBe(6)
  expect(await backendOf(sidecar)).toMatchObject({ kind: 'comfyui', state: 'ready', problem: null })
  await closesWithNothingLeft(sidecar)
  expect(readFileSync(join(sidecar.dataDir, 'logs/backend-one.log'), 'utf8')).toContain('temp files removed')
})

test('where a WebUI runs at the address already, it is left alone and offered; switched over, it makes the image', async () => {
  const own = await startEngine('--step-ms', '1')
  const { sidecar, backend } = await startManaged([], {}, Number(new URL(own.url).port))
  await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0] })
  await problemOf(sidecar, /a WebUI runs already.*switch "Start it for me" off/)
  await useBackends(sidecar, { ...backend, managed: null })
  expect((await waitForEmptyQueue(sidecar)).total).toBe(1)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  expect(own.child.exitCode).toBeNull()
})

test('where another program listens at the port, that is said, and nothing is started', async () => {
  const stranger = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  try {
    const { sidecar } = await startManaged([], {}, (stranger.address() as AddressInfo).port)
    await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0] })
    await problemOf(sidecar, /another program listens already/)
    expect(engines()).toEqual([])
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  } finally {
    stranger.closeAllConnections()
    stranger.close()
  }
})
