import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { environment } from '../config/environment.ts'
import { programPath } from '../config/program-path.ts'
import { appVersion } from '../config/version.ts'
import type { SelftestReport, SelftestResult, SelftestRun } from '../contract/selftest.ts'
import { loadPlatform } from '../processes/load-platform.ts'
import { type ObservedProcess, spawnObserved } from '../processes/spawn-observed.ts'
import { type PlannedRun, planRuns, type SelftestOptions } from './plan-runs.ts'
import { failed, notRun } from './results.ts'
import { type WitnessPlan, witnessLineSchema } from './witness-plan.ts'

const witnessProgram = programPath('witness')
/** Watching costs a process of 50 MB each. */
const mostAtOnce = 24
export interface SelftestSetup extends SelftestOptions {
  /** The app's own program and the flags that Node runs it with. */
  readonly program: string
  readonly nodeFlags: readonly string[]
  readonly draftArgs: string
  /** For the report. */
  readonly backend: string
  /** `settings.json` of the apps under test; null for the defaults. */
  readonly settings: unknown
  /** Told of every change of a run. */
  readonly onRun: (runs: readonly SelftestRun[]) => void
}

/**
 * Runs the scenarios one after another, each with a witness of its own; only the watching afterwards overlaps.
 * @param abort ends what runs; what was not run then says so.
 */
export async function runSelftest(setup: SelftestSetup, abort: AbortSignal): Promise<SelftestReport> {
  const startedAtMs = Date.now()
  const began = performance.now()
  const runs: SelftestRun[] = planRuns(setup).map((run) => ({ ...run, phase: 'waiting', result: null }))
  const change = (index: number, change: Partial<SelftestRun>) => {
    runs[index] = { ...(runs[index] as SelftestRun), ...change }
    setup.onRun(runs)
  }
  setup.onRun(runs)
  const ends = new Set<Promise<void>>()
  for (const [index, run] of runs.entries()) {
    if (abort.aborted) break
    while (ends.size >= mostAtOnce) await Promise.race(ends)
    const { ended } = await begin(setup, run, abort, (changed) => change(index, changed))
    const end: Promise<void> = ended.then(() => void ends.delete(end))
    ends.add(end)
  }
  await Promise.all(ends)
  const done = runs.map((run): SelftestRun => ({ ...run, phase: 'done', result: run.result ?? notRun('it was ended early') }))
  const passed = !abort.aborted && done.every(({ result }) => result?.outcome !== 'failed')
  return {
    version: 1,
    appVersion,
    startedAtMs,
    ms: Math.round(performance.now() - began),
    system: {
      platform: process.platform,
      release: release(),
      arch: process.arch,
      node: process.version,
      cpus: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      memoryBytes: totalmem(),
      containment: await containmentHere(),
    },
    options: {
      repeat: setup.repeat,
      watchS: setup.watchS,
      close: setup.close,
      backend: setup.backend,
      faults: setup.faults,
    },
    runs: done,
    verdict: passed ? 'passed' : 'failed',
  }
}

/** Resolves when the next run may begin (this one only watches), with a promise of this one's end. */
async function begin(
  setup: SelftestSetup,
  run: PlannedRun,
  abort: AbortSignal,
  onChange: (change: Partial<SelftestRun>) => void,
): Promise<{ ended: Promise<void> }> {
  const watches = Promise.withResolvers<void>()
  const ended = witness(setup, run, abort, (change) => {
    onChange(change)
    if (change.phase === 'watching') watches.resolve()
  }).finally(watches.resolve)
  await watches.promise
  return { ended }
}

async function witness(
  setup: SelftestSetup,
  run: PlannedRun,
  abort: AbortSignal,
  onChange: (change: Partial<SelftestRun>) => void,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'stablenew-selftest-'))
  const { program, nodeFlags, draftArgs, settings, cycles, watchS } = setup
  const plan: WitnessPlan = {
    ...run,
    watchMs: watchS * 1000,
    cycles,
    program,
    nodeFlags: [...nodeFlags],
    draftArgs,
    settings,
    dataDir,
  }
  let result: SelftestResult | undefined
  const errors: string[] = []
  let process: ObservedProcess | undefined
  const endEarly = () => process?.endInput()
  try {
    process = await spawnObserved(
      globalThis.process.execPath,
      ['--disable-warning=ExperimentalWarning', witnessProgram, JSON.stringify(plan)],
      {
        env: environment(),
        onLine: (stream, text) => {
          const line = stream === 'stdout' ? witnessLineSchema.safeParse(parsed(text)).data : undefined
          if (line === undefined) errors.push(text)
          else if ('phase' in line) onChange({ phase: line.phase })
          else result = line.result
        },
      },
    )
    abort.addEventListener('abort', endEarly, { once: true })
    if (abort.aborted) endEarly()
    await process.exited
    const lost = () => failed(`its witness ended early: ${errors.slice(-5).join(' | ')}`)
    onChange({ phase: 'done', result: result ?? (abort.aborted ? notRun('it was ended early') : lost()) })
  } finally {
    abort.removeEventListener('abort', endEarly)
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function containmentHere(): Promise<string> {
  const platform = await loadPlatform({ wanted: 'auto', env: environment(), dataDir: tmpdir() })
  await platform.close()
  return platform.facts.level
}
