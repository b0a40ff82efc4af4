import { expect, test } from 'vitest'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { signalSame, stillRuns } from '../helpers/survivors.ts'
import { engineRuns, trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { baseline, start } = trackSidecars()

async function runOneJob(sidecar: RunningSidecar): Promise<void> {
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1 } })
  await waitForEmptyQueue(sidecar)
}

test('in server mode the engine outlives the app, the next start takes it over, and an ordinary close leaves nothing', async () => {
  const first = await start({ args: ['--server-mode'] })
  await runOneJob(first)
  const running = await engineRuns()
  expect(await closeSidecar(first)).toMatchObject({ code: 0 })
  expect(stillRuns(running)).toBe(true)

  const second = await start({ dataDir: first.dataDir })
  const { backends, notices } = await second.get<Status>('/api/status')
  expect({ state: backends[0]?.state, notices }).toEqual({ state: 'ready', notices: [] })
  await runOneJob(second)
  expect((await engineRuns()).pid).toBe(running.pid)
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
  expect(stillRuns(running)).toBe(false)
  await baseline.expectNothingLeft()
})

test('a sidecar that is SIGKILLed takes its engine with it, in server mode too', async () => {
  const sidecar = await start({ args: ['--server-mode'] })
  await runOneJob(sidecar)
  const running = await engineRuns()
  sidecar.child.kill('SIGKILL')
  await sidecar.ended
  await baseline.expectNothingLeft()
  expect(stillRuns(running)).toBe(false)
})

test('an engine that died meanwhile is no trouble for the next start', async () => {
  const first = await start({ args: ['--server-mode'] })
  await runOneJob(first)
  const running = await engineRuns()
  await closeSidecar(first)
  signalSame(running, 'SIGKILL')
  await waitFor(() => !stillRuns(running), 'its end')
  const second = await start({ dataDir: first.dataDir })
  await runOneJob(second)
  expect((await engineRuns()).pid).not.toBe(running.pid)
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
})
