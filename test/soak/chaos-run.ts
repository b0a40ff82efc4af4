import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LaunchedSidecar, launchSidecar, queueDone, readLastShutdown } from '../helpers/launched-sidecar.ts'
import { type Baseline, liveDescendants, signalSame, stillRuns } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { checkResults } from './chaos-checks.ts'
import { findVictims, type Identity } from './chaos-members.ts'
import { type ChaosPlan, hasWindow, jobCount, type Moment } from './chaos-plan.ts'

export interface ChaosResult {
  /** From the kill until what had to go with it was gone. */
  readonly goneMs: number
  /** Images that were asked for twice. */
  readonly again: number
  readonly wrong: readonly string[]
}

const goneWithinMs = 10_000
const packText = Array.from({ length: jobCount }, (_, index) => `a lighthouse in storm number ${index + 1}`).join('\n\n')

/** One run: a queue of ten jobs, one kill, and what must be true afterwards. Whatever it starts is gone when it returns. */
export async function runChaos(plan: ChaosPlan, dataDir: string, baseline: Baseline): Promise<ChaosResult> {
  const requestLog = join(dataDir, 'requests.jsonl')
  const draft = [
    `--step-ms ${plan.stepMs} --request-log ${requestLog} --workers ${plan.workers}`,
    plan.stubborn ? '--ignore-term' : '',
  ]
  const start = () =>
    launchSidecar({
      dataDir,
      args: ['--containment', plan.level, '--draft-args', draft.join(' ').trim()],
      launcher: hasWindow(plan.victim) ? 'window' : { stdin: 'launcher' },
    })
  mkdirSync(join(dataDir, 'packs'), { recursive: true })
  writeFileSync(join(dataDir, 'packs/chaos.txt'), packText)

  const first = await start()
  const seeds = await queueAll(first, plan)
  await theMoment(first, plan.moment)
  const survivors =
    plan.victim === 'web page' ? crashPage(first) : await kill(plan, first, await findDoomed(plan, first), baseline)
  const lives = stillRuns(first.self)
  const last = lives ? first : await start()
  // Its API answers when what was left of the last run has ended.
  await last.get('/api/status')
  const leftAfterStart = survivors.left.filter(stillRuns).map(({ pid }) => `process ${pid} survived the next start`)
  await queueDone(last)
  if (plan.victim === 'web page') last.child.stdin?.write('close\n')
  else await last.post('/api/shutdown', { trigger: 'exit-button' })
  const { code } = await last.ended
  await baseline.expectNothingLeft(goneWithinMs)
  const { again, wrong } = checkResults(dataDir, requestLog, seeds)
  // A window's exit code is not its sidecar's.
  const clean = code === 0 && readLastShutdown(dataDir).exitCode === 0
  const exit = clean ? [] : [`exit code ${code} (${whyUnclean(dataDir)})`]
  return { goneMs: survivors.goneMs, again, wrong: [...leftAfterStart, ...exit, ...wrong] }
}

const findDoomed = ({ victim, firstSeed }: ChaosPlan, sidecar: LaunchedSidecar): Promise<Identity[]> =>
  waitFor(
    () => {
      const found = findVictims(victim, sidecar, (count) => firstSeed % count)
      return found.length > 0 && found
    },
    `${victim} to kill`,
    { ms: 20_000, everyMs: 2 },
  )

/** Nothing may end with it: the queue goes on without a page, and the window can still be closed. */
function crashPage({ child }: LaunchedSidecar): { goneMs: number; left: Identity[] } {
  child.stdin?.write('crash-page\n')
  return { goneMs: 0, left: [] }
}

function whyUnclean(dataDir: string): string {
  const { left, steps, verdict, detail } = readLastShutdown(dataDir)
  const failed = steps.flatMap(({ name, error }) => (error === null ? [] : [`${name}: ${error}`]))
  return [verdict, ...(detail === null ? [] : [detail]), ...failed, ...left.map((one) => `left ${one}`)].join('; ')
}

/** Each image has a seed of its own, by which the backend's log knows it. */
async function queueAll(sidecar: LaunchedSidecar, { imagesEach, firstSeed }: ChaosPlan): Promise<number[]> {
  const seeds: number[] = []
  for (let index = 0; index < jobCount; index++) {
    const seed = firstSeed + index * imagesEach
    const settings = { steps: 3, width: 64, height: 64 }
    await sidecar.queue('user/chaos.txt', { prompts: [index], images: imagesEach, seed, settings })
    for (let image = 0; image < imagesEach; image++) seeds.push(seed + image)
  }
  return seeds
}

async function theMoment(sidecar: LaunchedSidecar, { after, image, delayMs }: Moment): Promise<void> {
  const { dataDir } = sidecar
  if (after === 'backend') await waitFor(() => findVictims('backend', sidecar, () => 0).length > 0, 'a backend', { ms: 20_000 })
  if (after === 'image') {
    const files = () => readdirSync(join(dataDir, 'images'), { recursive: true }).filter((name) => String(name).endsWith('.png'))
    await waitFor(() => files().length >= image, `image ${image}`, { ms: 60_000, everyMs: 0 })
  }
  await sleep(delayMs)
}

/** SIGKILLs them. @returns what only the next start can end, where the level promises no more */
async function kill(
  { victim, level }: ChaosPlan,
  { self, ended }: LaunchedSidecar,
  doomed: readonly Identity[],
  baseline: Baseline,
): Promise<{ goneMs: number; left: Identity[] }> {
  const goes = doomed.flatMap(({ pid, startTime }) => [{ pid, startTime }, ...liveDescendants(pid)])
  const both = victim === 'sidecar and guard'
  // Stopped first: neither must see the other die.
  if (both) for (const one of doomed) signalSame(one, 'SIGSTOP')
  const from = performance.now()
  for (const one of doomed) signalSame(one, 'SIGKILL')
  const goneMs = () => Math.round(performance.now() - from)
  const takesSidecar = both || victim === 'sidecar' || victim === 'launcher' || victim === 'shell'
  if (takesSidecar) await ended
  await waitFor(() => !doomed.some(stillRuns), 'the victims to be gone', { ms: goneWithinMs })
  if (both && level !== 'namespace') return { goneMs: goneMs(), left: baseline.survivors() }
  if (takesSidecar) await baseline.expectNothingLeft(20_000)
  // A lost worker may leave the others standing until its backend ends; what is below a guard goes with it.
  else if (victim !== 'worker') await waitFor(() => !goes.some(stillRuns), 'its tree to be gone', { ms: goneWithinMs })
  if (!takesSidecar && !stillRuns(self)) throw new Error(`the sidecar died with its ${victim}`)
  return { goneMs: goneMs(), left: [] }
}
