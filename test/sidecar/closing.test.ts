import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { drainMs } from '../../src-sidecar/jobs/queue-processor.ts'
import { endsWithItsParent } from '../helpers/launched-sidecar.ts'
import { closeSidecar, mainProgram, type RunningSidecar, spawnMain, waitForEmptyQueue, waitForSteps } from '../helpers/sidecar.ts'
import { liveDescendants, signalSame } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { engineRuns, trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { baseline, start } = trackSidecars()

/** Windows has none: there `kill` ends a process at once. */
const hasSignals = process.platform !== 'win32'

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
const ways: [string, (sidecar: RunningSidecar) => unknown][] = [
  ...(hasSignals ? signals : []).map((name): (typeof ways)[number] => [name, ({ child }) => child.kill(name)]),
  ['the end of stdin', ({ child }) => child.stdin?.end()],
  ['the Exit button', ({ post }) => post('/api/shutdown', { trigger: 'exit-button' })],
]

describe.each(ways)('%s', (_name, close) => {
  test('ends an idle sidecar with exit code 0 within 5 s and leaves nothing', async () => {
    const sidecar = await start()
    const before = performance.now()
    await close(sidecar)
    const { code, at } = await sidecar.ended
    expect(code).toBe(0)
    expect(at - before).toBeLessThan(5000)
    await baseline.expectNothingLeft()
  })

  test('in the middle of a job ends the sidecar and the draft engine, and the job is done or back in the queue', async () => {
    const sidecar = await start()
    await sidecar.queue('example/portraits.txt')
    await waitForSteps(sidecar)
    await engineRuns()
    const before = performance.now()
    await close(sidecar)
    const { code, at } = await sidecar.ended
    expect(code).toBe(0)
    expect(at - before).toBeLessThan(5000)
    await baseline.expectNothingLeft()

    const next = await start({ dataDir: sidecar.dataDir })
    expect((await next.get<Status>('/api/status')).notices).toEqual([])
    expect((await waitForEmptyQueue(next)).total).toBe(4)
    expect(await closeSidecar(next)).toMatchObject({ code: 0 })
  })
})

test('a long image is interrupted soon after its shell is gone, and the job goes back to the queue', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 1000'] })
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 60 } })
  await waitForSteps(sidecar)
  const before = performance.now()
  sidecar.child.stdin?.end()
  const { code, at } = await sidecar.ended
  expect(code).toBe(0)
  // The image alone would take a minute, the patience of an ordinary end 10 s.
  expect(at - before).toBeLessThan(drainMs)
  const next = await start({ dataDir: sidecar.dataDir, args: ['--draft-args', '--step-ms 0'] })
  expect((await waitForEmptyQueue(next)).total).toBe(1)
  await closeSidecar(next)
})

test.runIf(hasSignals)('a second signal cuts the wait for a long image short', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 1000'] })
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 60 } })
  await waitForSteps(sidecar)
  sidecar.child.kill('SIGTERM')
  const closing = await waitFor(async () => (await sidecar.get<Status>('/api/status')).closing, 'closing')
  expect(closing).toMatchObject({ trigger: 'SIGTERM' })
  expect((await sidecar.request('/api/queue', { method: 'POST', body: '{"packId":"example/portraits.txt"}' })).status).toBe(503)
  await waitFor(() => Date.now() - closing.sinceMs > 1100, 'a second')
  const before = performance.now()
  sidecar.child.kill('SIGTERM')
  const { code, at } = await sidecar.ended
  expect(code).toBe(0)
  expect(at - before).toBeLessThan(3000)
})

test('an engine with a tree of workers that ignores SIGTERM is ended all the same', async () => {
  const sidecar = await start({ args: ['--draft-args', '--workers 3 --ignore-term'] })
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1 } })
  await waitForEmptyQueue(sidecar)
  await waitFor(() => liveDescendants().length >= 5, 'engine and workers')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  await baseline.expectNothingLeft()
})

describe('a parent that is SIGKILLed', () => {
  /** A parent that only starts the sidecar and waits. With `hold`, somebody else keeps its stdin open, so that there is no EOF. */
  async function startBelowParent(dataDir: string) {
    const args = ['--disable-warning=ExperimentalWarning', mainProgram, '--shell', 'none', '--watch-stdin', '--data-dir', dataDir]
    const script = `require('node:child_process').spawn(process.execPath, ${JSON.stringify(args)}, { stdio: 'inherit' }); ${endsWithItsParent}.ref()`
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: parent.stdout! })
    const [line] = (await once(lines, 'line')) as [string]
    const url = new URL(line.slice(line.indexOf('http')))
    return { parent, base: url.origin, token: url.searchParams.get('token') }
  }

  test('takes the sidecar and the draft engine with it within 5 s, in the middle of a job', async () => {
    const dataDir = tempDir('sidecar')
    const { parent, base, token } = await startBelowParent(dataDir)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    await fetch(`${base}/api/queue`, { method: 'POST', headers, body: '{"packId":"example/portraits.txt"}' })
    await waitFor(
      async () =>
        ((await (await fetch(`${base}/api/queue`, { headers })).json()) as Queue).progress.some(({ fraction }) => fraction > 0),
      'steps',
      { ms: 20_000 },
    )
    await engineRuns()
    // Its stdin ends with it; triggers.test.ts has a parent's death that nothing else tells of.
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await baseline.expectNothingLeft(5000)
    parent.stdin?.destroy()
  })
})

test('a SIGKILLed sidecar takes the draft engine with it, and the next start goes on with the job', async () => {
  const sidecar = await start()
  await sidecar.queue('example/portraits.txt', { prompts: [0], images: 6, settings: { steps: 5 } })
  await waitFor(async () => (await sidecar.get<Queue>('/api/queue')).running[0]?.imagesDone === 2, 'two images', { ms: 20_000 })
  await engineRuns()
  sidecar.child.kill('SIGKILL')
  await sidecar.ended
  await baseline.expectNothingLeft(2000)

  const next = await start({ dataDir: sidecar.dataDir })
  expect((await next.get<Status>('/api/status')).notices.join()).toContain('goes on at image')
  const { images } = await waitForEmptyQueue(next)
  expect(images.map(({ imageIndex }) => imageIndex).toSorted()).toEqual([0, 1, 2, 3, 4, 5])
  expect(new Set(images.map(({ seed }) => seed)).size).toBe(6)
  await closeSidecar(next)
})

test('a draft engine that dies in the middle of a job is started again, and the job goes on', async () => {
  const sidecar = await start()
  await sidecar.queue('example/portraits.txt', { prompts: [0], images: 4, settings: { steps: 10 } })
  await waitForSteps(sidecar)
  const engine = await engineRuns()
  signalSame(engine, 'SIGKILL')
  const { images } = await waitForEmptyQueue(sidecar)
  expect(images).toHaveLength(4)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test.runIf(hasSignals)('without --watch-stdin a stdin at /dev/null ends nothing', async () => {
  const sidecar = await start({ watch: false })
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1 } })
  expect((await waitForEmptyQueue(sidecar)).total).toBe(1)
  expect(sidecar.child.exitCode).toBeNull()
  sidecar.child.kill('SIGTERM')
  expect(await sidecar.ended).toMatchObject({ code: 0 })
})

test.runIf(hasSignals)('a signal at any moment of the start ends it cleanly', async () => {
  const dataDir = tempDir('sidecar')
  for (const delayMs of [0, 40, 80, 120, 160, 200, 300]) {
    const { child, ended } = spawnMain(['--shell', 'none', '--data-dir', dataDir])
    const due = performance.now() + delayMs
    await waitFor(() => performance.now() >= due, 'the moment')
    child.kill('SIGTERM')
    const { code, signal } = await ended
    // Before Node has installed our handler, the signal ends it as it ends any program.
    expect([0, null]).toContain(code)
    if (code === null) expect(signal).toBe('SIGTERM')
    await baseline.expectNothingLeft()
  }
})

describe('a second start on the same data folder', () => {
  test('says so and exits with 3', async () => {
    const first = await start()
    const { ended, output } = spawnMain(['--shell', 'none', '--data-dir', first.dataDir])
    expect((await ended).code).toBe(3)
    expect(output()).toContain('already runs')
    await closeSidecar(first)
  })

  test.runIf(hasSignals)('waits for the first one where that is closing', async () => {
    const first = await start({ args: ['--draft-args', '--step-ms 500'] })
    await first.queue('example/portraits.txt', { prompts: [0], settings: { steps: 6 } })
    await waitForSteps(first)
    first.child.kill('SIGTERM')
    await waitFor(async () => (await first.get<Status>('/api/status')).closing, 'closing')
    const second = await start({ dataDir: first.dataDir })
    expect(first.child.exitCode).toBe(0)
    expect((await waitForEmptyQueue(second)).total).toBe(1)
    await closeSidecar(second)
  })
})
