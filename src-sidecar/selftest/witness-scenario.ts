import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../config/environment.ts'
import type { LastShutdown } from '../contract/last-shutdown.ts'
import type { SelftestPhase, SelftestResult } from '../contract/selftest.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { holdersOf, isListening } from '../processes/tree-resources.ts'
import type { TreeWatch } from '../processes/tree-watch.ts'
import { checkDatabase } from '../store/check-database.ts'
import { AppUnderTest, type LaunchPlan } from './app-under-test.ts'
import { type Close, closes } from './closes.ts'
import { faultScenarios } from './fault-scenarios.ts'
import { figuresOf, notRun } from './results.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import type { WitnessPlan } from './witness-plan.ts'

const exitWithinMs = 10_000
const emptyWithinMs = 10_000
/** For an app that does not end by itself: longer than any forced exit. */
const longestExitMs = 60_000
const actWithinMs = 300_000
const lookEveryMs = 250
const forcedExitCode = 75

/** Runs a scenario once. @throws Error where it could not even be tried */
export async function witnessScenario(
  plan: WitnessPlan,
  tree: TreeWatch,
  onPhase: (phase: SelftestPhase) => void,
): Promise<SelftestResult> {
  const scenario = [...scenarios, ...faultScenarios].find(({ id }) => id === plan.id)
  if (scenario === undefined) throw new Error(`there is no scenario ${plan.id}`)
  const notOurs = plan.settings !== null && scenario.ownBackend
  const prefix = notOurs ? 'it needs a backend that StableNew starts itself' : await scenario.prefix?.(plan.dataDir)
  if (typeof prefix === 'string') return notRun(prefix)
  if (plan.settings !== null) await writeFile(join(plan.dataDir, 'settings.json'), JSON.stringify(plan.settings))

  const close = plan.close === null ? undefined : closes[plan.close]
  const launch: LaunchPlan = {
    ...plan,
    env: environment(),
    nodeFlags: [...plan.nodeFlags, ...(scenario.fault === undefined ? [] : ['--import', scenario.fault])],
    draftArgs: [scenario.draftArgs, plan.draftArgs].join(' ').trim(),
    window: close?.window ?? false,
    prefix: prefix ?? [],
  }
  const findings: string[] = []
  onPhase('launching')
  const app = await AppUnderTest.launch(launch)
  onPhase('working')
  await withDeadline(`scenario ${plan.id}`, actWithinMs, scenario.act({ app, tree })).catch((error: Error) =>
    findings.push(error.message),
  )

  onPhase('closing')
  const { sidecarPid } = app
  const rssBytes = tree.look().figures.rssBytes
  const before = performance.now()
  await close?.pull(app)
  const exit = await withDeadline('exit', longestExitMs, app.exited).catch(() => undefined)
  await untilGone(tree, sidecarPid)
  const exitMs = Math.round(performance.now() - before)
  if (exit === undefined) findings.push(`the app was still there ${longestExitMs / 1000} s after it was closed`)
  const emptyMs = await untilEmpty(tree, findings)
  // At once: later a port may be somebody else's.
  for (const port of tree.ports) if (await isListening(port)) findings.push(`port ${port} is still listened on`)

  onPhase('watching')
  if (emptyMs !== null) findings.push(...(await watch(tree, plan.watchMs)))
  const report = AppUnderTest.lastShutdown(plan.dataDir)
  findings.push(...exitFindings(scenario, close, exit?.code ?? exit?.signal ?? null, exitMs))
  findings.push(...reportFindings(scenario, report))
  for (const holder of holdersOf(plan.dataDir)) findings.push(`still open: ${holder}`)
  const figures = { ...figuresOf(tree), rssBytes, exitMs, emptyMs, exitCode: report?.exitCode ?? exit?.code ?? null }

  if (scenario.next !== undefined && findings.length === 0) {
    onPhase('next launch')
    findings.push(...(await nextLaunch(scenario, launch, tree)))
  }
  findings.push(...dataFindings(scenario, plan.dataDir))
  const steps = report?.steps ?? []
  return {
    outcome: findings.length === 0 ? 'passed' : 'failed',
    findings,
    remarks: report?.remarks ?? [],
    figures: { ...figures, watchedMs: plan.watchMs },
    steps,
  }
}

async function untilGone(tree: TreeWatch, pid: number): Promise<void> {
  const runs = () => tree.look().rows.some((row) => row.pid === pid)
  for (const until = performance.now() + longestExitMs; runs() && performance.now() < until; ) await sleep(10)
}

/** @returns how long it took until nothing of the run was left; null where something stayed */
async function untilEmpty(tree: TreeWatch, findings: string[]): Promise<number | null> {
  const from = performance.now()
  while (performance.now() - from < emptyWithinMs) {
    if (tree.isEmpty) return Math.round(performance.now() - from)
    await sleep(5)
  }
  findings.push(...tree.names().map((name) => `left behind ${emptyWithinMs / 1000} s after the exit: ${name}`))
  return null
}

/** Whoever turns up again after the end, named once. */
async function watch(tree: TreeWatch, watchMs: number): Promise<string[]> {
  const seen = new Set<string>()
  for (const until = performance.now() + watchMs; performance.now() < until; await sleep(Math.min(lookEveryMs, watchMs))) {
    if (tree.isEmpty) continue
    for (const name of tree.names()) seen.add(`turned up again after the end: ${name}`)
  }
  return [...seen]
}

function exitFindings(scenario: Scenario, close: Close | undefined, ended: number | string | null, exitMs: number): string[] {
  const limitMs = scenario.exitWithinMs ?? exitWithinMs
  const late = exitMs > limitMs ? [`the exit took ${exitMs} ms; ${limitMs} is the most`] : []
  const wanted = scenario.verdict === 'forced' ? forcedExitCode : (close?.ends ?? 'SIGKILL')
  return ended === wanted ? late : [...late, `the app ended with ${ended}, not ${wanted}`]
}

function reportFindings({ verdict = 'clean' }: Scenario, report: LastShutdown | undefined): string[] {
  if (verdict === 'none') return []
  if (report === undefined) return ['the app wrote no report of its shutdown']
  const found: string[] = []
  if (report.verdict !== verdict) found.push(`the shutdown was ${report.verdict}, not ${verdict}`)
  // What hung is what a forced exit names.
  if (verdict === 'forced') return found
  found.push(...report.left.map((one) => `left open at the end: ${one}`))
  return [...found, ...report.steps.flatMap(({ name, error }) => (error === null ? [] : [`${name}: ${error}`]))]
}

async function nextLaunch(scenario: Scenario, launch: LaunchPlan, tree: TreeWatch): Promise<string[]> {
  const findings: string[] = []
  const app = await AppUnderTest.launch({ ...launch, draftArgs: '', nodeFlags: [], window: false, prefix: [] })
  await withDeadline('next launch', actWithinMs, scenario.next?.({ app, tree }) ?? Promise.resolve()).catch((error: Error) =>
    findings.push(error.message),
  )
  await app.post('/api/shutdown', { trigger: 'exit-button' })
  await withDeadline('exit', longestExitMs, app.exited)
  await untilEmpty(tree, findings)
  return findings
}

function dataFindings({ images }: Scenario, dataDir: string): string[] {
  const file = join(dataDir, 'stablenew.db')
  if (!existsSync(file)) return ['there is no database']
  const facts = checkDatabase(file)
  const found: string[] = []
  if (facts.integrity !== 'ok') found.push(`integrity_check: ${facts.integrity}`)
  if (facts.images.length !== images) found.push(`${facts.images.length} images in the history, not ${images}`)
  for (const path of facts.images) if (!existsSync(path)) found.push(`the history names ${path}, which is not there`)
  return found
}
