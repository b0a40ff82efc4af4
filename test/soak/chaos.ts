// npm run soak: kills a random member at a random moment, again and again. `--seed` repeats what was printed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomSeed } from '../helpers/seeded-random.ts'
import { endSurvivors, takeBaseline } from '../helpers/survivors.ts'
import { type ChaosPlan, planRun } from './chaos-plan.ts'
import { runChaos } from './chaos-run.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly runs: number
  /** The number of the first run; a single one is repeated with `runs` 1. */
  readonly from?: number
  readonly say: (line: string) => void
}

/** @returns what went wrong, a line for each run that failed */
export async function chaos({ seed, runs, from = 1, say }: ChaosOptions): Promise<string[]> {
  const failed: string[] = []
  const baseline = takeBaseline()
  for (let run = from; run < from + runs; run++) {
    const plan = planRun(seed, run)
    const dataDir = mkdtempSync(join(tmpdir(), 'stablenew-chaos-'))
    const began = performance.now()
    try {
      const { goneMs, again, wrong } = await runChaos(plan, dataDir, baseline)
      const outcome = wrong.length === 0 ? 'ok' : `WRONG: ${wrong.join('; ')}`
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      const line = `run ${run}: ${describe(plan)}: gone in ${goneMs} ms, ${again} made again, ${seconds} s: ${outcome}`
      say(line)
      if (wrong.length > 0) failed.push(line)
    } catch (error) {
      const line = `run ${run}: ${describe(plan)}: ${error instanceof Error ? error.message : error}`
      say(`${line}: WRONG`)
      failed.push(line)
    } finally {
      // A run that failed must not make the next ones fail.
      await endSurvivors(baseline)
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  }
  return failed
}

function describe({ victim, level, moment, workers, stubborn }: ChaosPlan): string {
  const after = moment.after === 'image' ? `image ${moment.image}` : moment.after
  const tree = workers > 0 ? `, ${workers} workers` : ''
  return `SIGKILL of ${victim} (${level}${tree}${stubborn ? ', stubborn' : ''}) ${moment.delayMs} ms after ${after}`
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, runs: { type: 'string', default: '200' }, from: { type: 'string', default: '1' } },
  })
  const seed = Number(values.seed ?? randomSeed())
  console.log(`seed ${seed} (a single run again: --seed ${seed} --from <run> --runs 1)`)
  const runs = Number(values.runs)
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
  const failed = await chaos({ seed, runs, from: Number(values.from), say: (line) => interrupted || console.log(line) })
  console.log(`${runs - failed.length} of ${runs} runs ok, seed ${seed}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
