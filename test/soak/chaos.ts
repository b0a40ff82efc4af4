// npm run soak: in turn the kill of a random member at a random moment, and a random scenario of the selftest closed in a random
// way. `--kind kills` or `--kind scenarios` for one of them alone; `--seed` repeats what was printed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomSeed } from '../helpers/seeded-random.ts'
import { type Baseline, endSurvivors, takeBaseline } from '../helpers/survivors.ts'
import { type ChaosPlan, planRun } from './chaos-plan.ts'
import { runChaos } from './chaos-run.ts'
import { planScenario, runScenario } from './scenario-run.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly runs: number
  /** The number of the first run; a single one is repeated with `runs` 1. */
  readonly from?: number
  /** Absent: kills. */
  readonly kind?: 'kills' | 'scenarios' | 'both'
  readonly say: (line: string) => void
}

/** @returns what went wrong, a line for each run that failed */
export async function chaos({ seed, runs, from = 1, kind = 'kills', say }: ChaosOptions): Promise<string[]> {
  const failed: string[] = []
  const baseline = takeBaseline()
  for (let run = from; run < from + runs; run++) {
    const kills = kind === 'kills' || (kind === 'both' && run % 2 === 1)
    const began = performance.now()
    const { what, figures, wrong } = await (kills ? kill(seed, run, baseline) : scenario(seed, run, baseline))
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    const outcome = wrong.length === 0 ? 'ok' : `WRONG: ${wrong.join('; ')}`
    const line = `run ${run}: ${what}: ${[...figures, `${seconds} s`].join(', ')}: ${outcome}`
    say(line)
    if (wrong.length > 0) failed.push(line)
  }
  return failed
}

interface RunOutcome {
  readonly what: string
  readonly figures: readonly string[]
  readonly wrong: readonly string[]
}

async function kill(seed: number, run: number, baseline: Baseline): Promise<RunOutcome> {
  const plan = planRun(seed, run)
  const dataDir = mkdtempSync(join(tmpdir(), 'stablenew-chaos-'))
  const what = describe(plan)
  try {
    const { goneMs, again, wrong } = await runChaos(plan, dataDir, baseline)
    return { what, figures: [`gone in ${goneMs} ms`, `${again} made again`], wrong }
  } catch (error) {
    return { what, figures: [], wrong: [error instanceof Error ? error.message : String(error)] }
  } finally {
    // A run that failed must not make the next ones fail.
    await endSurvivors(baseline)
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

async function scenario(seed: number, run: number, baseline: Baseline): Promise<RunOutcome> {
  const plan = planScenario(seed, run)
  const what = `${plan.id} closed by ${plan.close}`
  try {
    const wrong = await runScenario(plan)
    const left = await baseline.expectNothingLeft().then(
      () => [],
      (error: Error) => [error.message],
    )
    return { what, figures: [], wrong: [...wrong, ...left] }
  } catch (error) {
    return { what, figures: [], wrong: [error instanceof Error ? error.message : String(error)] }
  } finally {
    await endSurvivors(baseline)
  }
}

function describe({ victim, level, moment, workers, stubborn }: ChaosPlan): string {
  const after = moment.after === 'image' ? `image ${moment.image}` : moment.after
  const tree = workers > 0 ? `, ${workers} workers` : ''
  return `SIGKILL of ${victim} (${level}${tree}${stubborn ? ', stubborn' : ''}) ${moment.delayMs} ms after ${after}`
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      kind: { type: 'string', default: 'both' },
    },
  })
  const seed = Number(values.seed ?? randomSeed())
  console.log(`seed ${seed} (a single run again: --seed ${seed} --from <run> --runs 1)`)
  const runs = Number(values.runs)
  const kind = values.kind as ChaosOptions['kind']
  if (!['kills', 'scenarios', 'both'].includes(values.kind)) throw new Error('--kind takes kills, scenarios or both')
  // Whoever ends the soak early must not be left with what it was about to kill.
  const before = takeBaseline()
  let interrupted = false
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      interrupted = true
      void endSurvivors(before).finally(() => process.exit(exitCode))
    })
  }
  const failed = await chaos({ seed, runs, from: Number(values.from), kind, say: (line) => interrupted || console.log(line) })
  console.log(`${runs - failed.length} of ${runs} runs ok, seed ${seed}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
