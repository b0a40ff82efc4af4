import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { LastShutdown } from '../contract/last-shutdown.ts'
import { asError } from '../errors/app-error.ts'
import { BEAT, CLOSING, type ForceExitSetup, type NativeExit, READY, readNotes, STOP } from './force-exit-shared.ts'

// The thread of force-exit.ts. It has no event loop to speak of: it waits, looks, counts, and needs nothing of the main
// thread, no pool thread and no file until it ends the process.

const forcedExitCode = 75
/** Writing the report may hang on a dead disk. */
const writeLimitSeconds = 5
const nativeCallsAfterMs = 2000
const lookEveryMs = 50

const setup = workerData as ForceExitSetup
const flags = new Int32Array(setup.flags)
let problem: string | null = null
// Loading them would take time from the start: not before it is done, an end begins, or it takes long.
const hasTime = () => [READY, CLOSING, STOP].every((flag) => Atomics.load(flags, flag) === 0)
for (let waitedMs = 0; waitedMs < nativeCallsAfterMs && hasTime(); waitedMs += lookEveryMs)
  Atomics.wait(flags, STOP, 0, lookEveryMs)
// Now and not when it is needed: then there may be no descriptor or pool thread left to load it with.
const native = await (import(setup.nativeUrl) as Promise<NativeExit>).catch((thrown: unknown) => {
  problem = asError(thrown).message
  return null
})
const parentGone = setup.parentPid === null ? undefined : native?.watchParent(setup.parentPid)
flushCompileCache()
parentPort?.postMessage({ problem })

let lost: 'stdin-eof' | 'parent-gone' | undefined
let lastBeat = -1
let silentMs = 0
let closingMs = 0
let startMs = 0
let now = performance.now()

let starting = Atomics.load(flags, READY) === 0
const toNext = () => {
  const other = starting ? setup.startLimitMs - startMs : setup.silentLimitMs - silentMs
  return Math.min(setup.tickMs, setup.closingLimitMs - closingMs, other)
}
for (; Atomics.load(flags, STOP) === 0; Atomics.wait(flags, STOP, 0, toNext())) {
  const before = now
  now = performance.now()
  // Own ticks, not the clock: what passes while the process or the machine sleeps is two of them at most. The clock only
  // keeps the delays of a busy machine from adding up.
  const passedMs = Math.min(now - before, 2 * setup.tickMs)
  // Before the beat, which `ready` makes before it.
  starting = Atomics.load(flags, READY) === 0
  const beat = Atomics.load(flags, BEAT)
  silentMs = beat === lastBeat ? silentMs + passedMs : 0
  lastBeat = beat
  if (setup.watchStdin && native?.stdinHungUp()) lost ??= 'stdin-eof'
  if (parentGone?.()) lost ??= 'parent-gone'
  if (lost !== undefined || Atomics.load(flags, CLOSING) === 1) closingMs += passedMs
  if (starting) startMs += passedMs
  if (closingMs >= setup.closingLimitMs) force(Math.round(closingMs), 'the shutdown was not done within')
  else if (starting && startMs >= setup.startLimitMs) force(Math.round(startMs), 'the start was not done within')
  else if (!starting && silentMs >= setup.silentLimitMs) force(Math.round(silentMs), 'the main thread was silent for')
}

function force(ms: number, what: string): void {
  quietly(() => native?.exitWithin(writeLimitSeconds))
  const { trigger, detail, steps, guards } = readNotes(flags, setup.notes)
  const told = guards.filter(({ pid, startTime }) => quietly(() => native?.killGuard(pid, startTime)))
  // One beat may come late when all else is busy.
  const blocked = silentMs > 2 * setup.beatMs
  const report: LastShutdown = {
    version: 1,
    runId: setup.runId,
    appVersion: setup.appVersion,
    trigger: trigger ?? lost ?? (starting ? 'start-failed' : 'main-silent'),
    detail,
    endedAtMs: Date.now(),
    ms,
    graceCut: true,
    steps: steps.map(({ phase, name }) => ({ phase, name, ms, error: 'was not done when the exit was forced' })),
    remarks: [`${what} ${ms} ms`, `${told.length} of ${guards.length} guards were told to kill their processes`],
    left: blocked ? [`the main thread, silent for ${Math.round(silentMs)} ms`] : [],
    verdict: 'forced',
    // Without native calls nothing but SIGKILL ends the process from here.
    exitCode: native === null ? 137 : forcedExitCode,
  }
  quietly(() => writeReport(report))
  native?.exitNow(forcedExitCode)
  process.kill(process.pid, 'SIGKILL')
}

function writeReport(report: LastShutdown): void {
  const { logFile, reportFile } = setup
  const hung = [...report.steps.map(({ phase, name }) => `${phase}: ${name}`), ...report.left]
  const lines = [...report.remarks, ...hung.map((one) => `hung: ${one}`), `forced exit (exit code ${report.exitCode})`]
  const after = `+${report.ms} ms`.padStart(10)
  const text = lines.map((line) => `${new Date(report.endedAtMs).toISOString()} ${after}  ${line}\n`).join('')
  quietly(() => appendFileSync(logFile, text, { mode: 0o600 }))
  writeFileSync(`${reportFile}.part`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${reportFile}.part`, reportFile)
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    // Whatever fails here, the process has to end.
    return undefined
  }
}
