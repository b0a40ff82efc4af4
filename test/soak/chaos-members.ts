import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LaunchedSidecar } from '../helpers/launched-sidecar.ts'
import { type LiveProcess, liveDescendants, stillRuns } from '../helpers/survivors.ts'
import type { Victim } from './chaos-plan.ts'

/** By number and start time; where somebody stands in the tree says what it is. */
export type Identity = Pick<LiveProcess, 'pid' | 'startTime'>

interface RegistryFile {
  processes: { guard?: Identity; leader?: Identity }[]
}

/** Guard and leader as the sidecar has recorded them; undefined as long as no backend runs. */
export function recordedBackend(dataDir: string): { guard: Identity; leader: Identity } | undefined {
  try {
    const file: RegistryFile = JSON.parse(readFileSync(join(dataDir, 'process_registry.json'), 'utf8'))
    const last = file.processes.at(-1)
    if (!last?.guard || !last.leader || !stillRuns(last.leader)) return undefined
    return { guard: last.guard, leader: last.leader }
  } catch {
    return undefined
  }
}

/** Who is to be killed; empty as long as they are not there. `pickIndex` chooses among several. */
export function findVictims(victim: Victim, sidecar: LaunchedSidecar, pickIndex: (count: number) => number): Identity[] {
  if (victim === 'sidecar') return [sidecar.self]
  if (victim === 'launcher' || victim === 'shell') return liveDescendants().filter(({ pid }) => pid === sidecar.child.pid)
  const backend = recordedBackend(sidecar.dataDir)
  if (backend === undefined) return []
  const { guard, leader } = backend
  if (victim === 'guard') return [guard]
  if (victim === 'backend') return [leader]
  if (victim === 'sidecar and guard') return [sidecar.self, guard]
  const below = liveDescendants(sidecar.self.pid)
  const candidates =
    victim === 'worker'
      ? liveDescendants(leader.pid)
      : below.filter(({ pid, parentPid }) => parentPid === sidecar.self.pid && pid !== guard.pid)
  const chosen = candidates[pickIndex(candidates.length)]
  return chosen ? [chosen] : []
}
