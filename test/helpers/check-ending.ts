import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import type { EndState, EndTrigger } from './endings.ts'
import { type LaunchedSidecar, type LaunchOptions, launchSidecar, queueDone, readLastShutdown } from './launched-sidecar.ts'
import { type Baseline, liveDescendants, stillRuns } from './survivors.ts'
import { tempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

/** Ten seconds for the running image, ten for the rest. */
const normalExitMs = 20_000

/** Brings a sidecar into a state, pulls all triggers at once, and checks what must be true of every end. */
export async function checkEnding(pulled: readonly EndTrigger[], state: EndState, baseline: Baseline): Promise<void> {
  const slow = pulled.some((trigger) => trigger.slow)
  const started = await launchSidecar({ dataDir: tempDir('ending'), args: draftArgs(state.draftArgs(slow)), ...merged(pulled) })
  const images = await state.enter(started, slow)
  await waitFor(() => liveDescendants(started.self.pid).length >= state.processes, `${state.processes} processes`, { ms: 20_000 })
  expect(stillRuns(started.self)).toBe(true)

  const before = performance.now()
  // Another trigger may have closed the server already.
  await Promise.all(pulled.map((trigger) => Promise.resolve(trigger.pull(started)).catch(() => {})))
  const code = await exitCodeOf(started)
  const left = baseline.survivors()
  expect(left, 'nothing is left at the very moment of its exit').toEqual([])
  expect(performance.now() - before).toBeLessThan(normalExitMs + (slow ? 10_000 : 0))
  await baseline.expectNothingLeft()
  checkReport(started.dataDir, pulled, code)
  await checkNoJobLost(started.dataDir, images, pulled)
  await baseline.expectNothingLeft()
}

/** Null where it was not our child, so that nobody but its own report can say. */
async function exitCodeOf({ self, ended, hasLauncher }: LaunchedSidecar): Promise<number | null> {
  const { code, signal } = await ended
  await waitFor(() => !stillRuns(self), 'the end of the sidecar', { ms: 30_000 })
  return hasLauncher && signal === 'SIGKILL' ? null : code
}

function checkReport(dataDir: string, pulled: readonly EndTrigger[], code: number | null): void {
  const report = readLastShutdown(dataDir)
  const first = pulled.find(({ reported }) => reported === report.trigger)
  expect(first, `the report names one of the triggers, not ${report.trigger}`).toBeDefined()
  const crashed = pulled.some(({ exitCode }) => exitCode === 70)
  // Of two that come together, one may come too late to be noticed.
  const allowed = first?.exitCode === 70 ? [70] : crashed ? [0, 70] : [0]
  expect(allowed).toContain(report.exitCode)
  expect(report).toMatchObject({ verdict: report.exitCode === 0 ? 'clean' : 'unclean', left: [], graceCut: false })
  expect(report.steps.filter(({ error }) => error !== null)).toEqual([])
  if (code !== null) expect(code, 'the exit code is the one that the report tells').toBe(report.exitCode)
  const log = readFileSync(join(dataDir, 'logs/shutdown.log'), 'utf8')
  expect(log).toContain(`closing: ${report.trigger}`)
  expect(log).toContain(`${report.verdict} (exit code ${report.exitCode})`)
}

/** The next start does what was left, and each image is there once, as a row and as a file. */
async function checkNoJobLost(dataDir: string, images: number, pulled: readonly EndTrigger[]): Promise<void> {
  const next = await launchSidecar({ dataDir, args: draftArgs('--step-ms 0') })
  const { lastShutdown } = await next.get<Status>('/api/status')
  expect(pulled.map(({ reported }) => reported)).toContain(lastShutdown?.trigger)
  await next.post('/api/queue/resume')
  const { ended } = await queueDone(next)
  expect(ended.map(({ state }) => state)).toEqual(ended.map(() => 'completed'))
  const page = await next.get<ImagePage>('/api/images?limit=200')
  expect(new Set(page.images.map(({ jobId, imageIndex }) => `${jobId}/${imageIndex}`)).size).toBe(images)
  expect(page.total).toBe(images)
  expect(filesBelow(join(dataDir, 'images'))).toEqual(page.images.map(({ path }) => path).toSorted())
  next.child.kill('SIGTERM')
  expect(await next.ended).toMatchObject({ code: 0 })
}

const draftArgs = (text: string): string[] => (text === '' ? [] : ['--draft-args', text])

function merged(pulled: readonly EndTrigger[]): Pick<LaunchOptions, 'launcher' | 'nodeFlags'> {
  return Object.assign({}, ...pulled.map(({ launch }) => launch))
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
