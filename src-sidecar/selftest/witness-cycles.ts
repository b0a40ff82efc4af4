import { z } from 'zod'
import { environment } from '../config/environment.ts'
import type { SelftestPhase, SelftestResult } from '../contract/selftest.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { spawnObserved } from '../processes/spawn-observed.ts'
import type { TreeWatch } from '../processes/tree-watch.ts'
import { judgeCycles } from './judge-cycles.ts'
import { figuresOf } from './results.ts'
import type { WitnessPlan } from './witness-plan.ts'

const cycleWithinMs = 30_000
/** What V8 compiles from cycle to cycle lies in the heap as well, and is nothing that the app keeps. */
const noCompiler = ['--no-opt', '--no-maglev', '--no-sparkplug']
/** One arena instead of one a thread: what resident memory shows then is what is held, not how glibc spreads it. */
const oneArena = { MALLOC_ARENA_MAX: '1' }
const cycleLineSchema = z.object({ cycle: z.int(), heapBytes: z.int(), rssBytes: z.int(), left: z.array(z.string()) })

/** Starts, uses and closes the app again and again in one process, and looks at what it keeps. */
export async function witnessCycles(
  plan: WitnessPlan,
  tree: TreeWatch,
  onPhase: (phase: SelftestPhase) => void,
): Promise<SelftestResult> {
  onPhase('launching')
  const cycles: z.infer<typeof cycleLineSchema>[] = []
  const other: string[] = []
  const args = [
    '--disable-warning=ExperimentalWarning',
    ...noCompiler,
    ...plan.nodeFlags,
    plan.program,
    'cycles',
    String(plan.cycles),
  ]
  const draft = plan.draftArgs === '' ? [] : ['--draft-args', plan.draftArgs]
  const started = await spawnObserved(process.execPath, [...args, '--data-dir', plan.dataDir, '--watch-stdin', ...draft], {
    env: { ...environment(), ...oneArena, DISPLAY: '', WAYLAND_DISPLAY: '' },
    onLine: (_stream, line) => {
      if (line.startsWith('{"cycle"')) cycles.push(cycleLineSchema.parse(JSON.parse(line)))
      else other.push(line)
    },
  })
  onPhase('working')
  const { code, signal } = await withDeadline('cycles', cycleWithinMs * plan.cycles, started.exited)
  const { findings, remarks } = judgeCycles(cycles)
  if (code !== 0) findings.push(`it ended with ${code ?? signal}: ${other.slice(-3).join(' | ')}`)
  if (cycles.length !== plan.cycles) findings.push(`${cycles.length} of ${plan.cycles} cycles were run`)
  if (!tree.isEmpty) findings.push(...tree.names().map((name) => `left behind: ${name}`))
  const outcome = findings.length > 0 ? 'failed' : remarks.some((remark) => remark.startsWith('warning')) ? 'warned' : 'passed'
  return {
    outcome,
    findings,
    remarks,
    figures: { ...figuresOf(tree), rssBytes: cycles.at(-1)?.rssBytes ?? null, exitCode: code },
    steps: [],
  }
}
