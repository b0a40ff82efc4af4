import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { backendDeadlines } from '../../../src-sidecar/backends/backend-deadlines.ts'
import { freePort } from '../../../src-sidecar/backends/listening-port.ts'
import { ManagedBackend } from '../../../src-sidecar/backends/managed-backend.ts'
import { SdapiClient } from '../../../src-sidecar/backends/sdapi/sdapi-client.ts'
import type { BackendStatus } from '../../../src-sidecar/contract/status.ts'
import { Containment } from '../../../src-sidecar/processes/spawn-contained.ts'
import { projectFolder } from '../../helpers/sidecar.ts'
import { commandLine, liveDescendants, signalSame, takeBaseline } from '../../helpers/survivors.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { recipe, silent } from '../jobs/queue-fixture.ts'

const baseline = takeBaseline()
const never = new AbortController().signal
let end = async () => {}

afterEach(async () => {
  await end()
  await baseline.expectNothingLeft()
})

/** A backend whose command is a script for Node. */
async function managed(
  script: (folder: string, port: string) => string,
  deadlines = backendDeadlines,
  { startAtLaunch = false, lookEveryMs = 15_000 } = {},
) {
  const folder = tempDir('managed')
  const containment = new Containment({
    dataDir: folder,
    runToken: 'managed-test',
    level: 'auto',
    env: process.env,
    logger: silent,
  })
  await containment.start(never)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const told: BackendStatus[] = []
  const backend: ManagedBackend = new ManagedBackend({
    settings: { id: 'one', name: '', kind: 'sdapi', url },
    what: 'WebUI',
    client: new SdapiClient({ url }, { deadlines }),
    managed: {
      command: process.execPath,
      args: ['-e', script(folder, String(port))],
      cwd: '',
      env: {},
      startupLimitS: 20,
      startAtLaunch,
    },
    containment,
    logFile: join(folder, 'webui.log'),
    onStatus: () => told.push(backend.status),
    remark: () => {},
    lookEveryMs,
  })
  await backend.start()
  end = async () => {
    await backend.stop({ trigger: 'api', detail: 'the test is over' }, never)
    await containment.stop({ trigger: 'api', detail: 'the test is over' }, never)
  }
  const generate = (signal = never, steps = 1) => backend.generate({ recipe: recipe({ steps }), seed: 1 }, () => {}, signal)
  return { backend, folder, told, generate }
}

test('after five starts without an image it is not started again until the user asks, and says why', async () => {
  const { backend, folder, told, generate } = await managed(
    (folder) => `require('node:fs').appendFileSync('${folder}/starts', 'x'); console.error('no CUDA here'); process.exit(3)`,
  )
  const starts = () => readFileSync(join(folder, 'starts'), 'utf8').length
  for (let start = 1; start <= 5; start++)
    expect(await generate()).toMatchObject({
      outcome: 'unavailable',
      crashed: false,
      problem: { code: 'backend_start_failed', message: expect.stringMatching(/exit code 3\). Last lines: no CUDA here/) },
    })
  const message = expect.stringMatching(/started 5 times in a row without making an image.*no CUDA here/)
  const first = await generate()
  expect(first).toMatchObject({ outcome: 'unavailable', crashed: false, problem: { message } })
  const tells = told.length
  expect(await generate()).toEqual(first)
  expect([starts(), told.length, backend.status.state]).toEqual([5, tells, 'failed'])
  backend.tryAgain()
  await generate()
  expect(starts()).toBe(6)
})

test('an interrupted start goes on, and a stop in the middle of it leaves nothing', async () => {
  const { backend, told, generate } = await managed(() => 'setInterval(() => {}, 1000)')
  expect(await generate(AbortSignal.timeout(1500))).toEqual({ outcome: 'interrupted' })
  expect([backend.status.state, backend.process]).toEqual(['starting', expect.objectContaining({ role: 'backend' })])
  await end()
  await baseline.expectNothingLeft()
  expect(told.at(-1)).toMatchObject({ state: 'stopped', problem: null })
  expect(await generate()).toEqual({ outcome: 'interrupted' })
})

test('one that stands still and takes no interrupt is ended, its whole tree, and started anew with the next image', async () => {
  const engine = join(projectFolder, 'src-sidecar/backends/draft-engine/main.ts')
  const { backend, told, generate } = await managed(
    (_, port) => `
      const args = ['${engine}', '--port', '${port}', '--step-ms', '1', '--workers', '1', '--stop-at', '50']
      require('node:child_process').spawn(process.execPath, args, { stdio: 'inherit' })`,
    { ...backendDeadlines, stallMs: 700, interruptMs: 300 },
  )
  const making = generate(never, 4)
  await waitFor(() => backend.status.state === 'ready', 'the start', { ms: 10_000 })
  const first = backend.process!.spawnId
  const engines = () => liveDescendants().filter(({ pid }) => commandLine(pid).includes('--stop-at')).length
  expect(engines()).toBeGreaterThan(0)
  const message = expect.stringMatching(/no sign of progress for 0\.7 s.*did not let go.*It was ended and is started again/)
  const problem = { code: 'backend_hung', message }
  expect(await making).toEqual({ outcome: 'unavailable', crashed: true, problem })
  expect([engines(), backend.process]).toEqual([0, null])
  expect(backend.status).toMatchObject({ state: 'failed', problem })
  expect(await generate(never, 4)).toMatchObject({ outcome: 'unavailable', crashed: true })
  expect(told.filter(({ state }) => state === 'ready')).toHaveLength(2)
  expect(backend.process?.spawnId).not.toBe(first)
}, 30_000)

test('one that is restarted by its own launcher while it has nothing to do is waited for, as the same process', async () => {
  const engine = join(projectFolder, 'src-sidecar/backends/draft-engine/main.ts')
  // Its launcher starts it again, a moment later, whenever it ends.
  const launcher = (_: string, port: string) => `
    const start = () => require('node:child_process')
      .spawn(process.execPath, ['${engine}', '--port', '${port}'], { stdio: 'inherit' })
      .on('exit', () => setTimeout(start, 400))
    start()`
  const { backend, told, generate } = await managed(launcher, backendDeadlines, { startAtLaunch: true, lookEveryMs: 50 })
  await waitFor(() => backend.status.state === 'ready', 'the start with the app', { ms: 20_000 })
  const { spawnId } = backend.process!
  const served = liveDescendants().find(({ pid, parentPid }) => {
    const parent = liveDescendants().find((one) => one.pid === parentPid)
    return commandLine(pid).includes('draft-engine') && parent !== undefined && commandLine(parent.pid).includes('-e')
  })!
  signalSame(served, 'SIGKILL')
  await waitFor(() => told.filter(({ state }) => state === 'ready').length === 2, 'its return', { ms: 20_000 })
  expect(told.map(({ state }) => state)).toEqual(['stopped', 'starting', 'ready', 'starting', 'ready'])
  expect(backend.process?.spawnId).toBe(spawnId)
  expect((await generate()).outcome).toBe('done')
}, 60_000)
