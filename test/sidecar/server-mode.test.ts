import { afterEach, expect, test } from 'vitest'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { closeSidecar, type RunningSidecar, startSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { commandLine, endSurvivors, liveDescendants, signalSame, stillRuns, takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'

const baseline = takeBaseline()
const started: RunningSidecar[] = []

afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  }
  await baseline.expectNothingLeft().finally(() => endSurvivors(baseline))
})

async function start(options: Parameters<typeof startSidecar>[0] = {}): Promise<RunningSidecar> {
  const sidecar = await startSidecar(options)
  started.push(sidecar)
  return sidecar
}

const engine = () =>
  waitFor(
    () => liveDescendants().find(({ pid }) => /^\S*node .*draft-engine\/main\.ts/.test(commandLine(pid))),
    'the draft engine',
  )

async function runOneJob(sidecar: RunningSidecar): Promise<void> {
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1 } })
  await waitForEmptyQueue(sidecar)
}

test('in server mode the engine outlives the app, the next start takes it over, and an ordinary close leaves nothing', async () => {
  const first = await start({ args: ['--server-mode'] })
  await runOneJob(first)
  const running = await engine()
  expect(await closeSidecar(first)).toMatchObject({ code: 0 })
  expect(stillRuns(running)).toBe(true)

  const second = await start({ dataDir: first.dataDir })
  const { backend, notices } = await second.get<Status>('/api/status')
  expect({ state: backend.state, notices }).toEqual({ state: 'ready', notices: [] })
  await runOneJob(second)
  expect((await engine()).pid).toBe(running.pid)
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
  expect(stillRuns(running)).toBe(false)
  await baseline.expectNothingLeft()
})

test('a sidecar that is SIGKILLed takes its engine with it, in server mode too', async () => {
  const sidecar = await start({ args: ['--server-mode'] })
  await runOneJob(sidecar)
  const running = await engine()
  sidecar.child.kill('SIGKILL')
  await sidecar.ended
  await baseline.expectNothingLeft()
  expect(stillRuns(running)).toBe(false)
})

test('an engine that died meanwhile is no trouble for the next start', async () => {
  const first = await start({ args: ['--server-mode'] })
  await runOneJob(first)
  const running = await engine()
  await closeSidecar(first)
  signalSame(running, 'SIGKILL')
  await waitFor(() => !stillRuns(running), 'its end')
  const second = await start({ dataDir: first.dataDir })
  await runOneJob(second)
  expect((await engine()).pid).not.toBe(running.pid)
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
})
