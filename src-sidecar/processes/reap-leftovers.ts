import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { AppError } from '../errors/app-error.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { RegistryContent, RegistryEntry } from './process-registry.ts'
import { descendantsOf, isAlive, type ProcessStat, readAllStats } from './process-stat.ts'
import { hasMark, SPAWN_ID } from './run-token.ts'

/** What the start after a crash found and did. */
export interface LeftoverReport {
  /** Processes of the last run that were still there. */
  found: { pid: number; name: string; role: string }[]
  /** Those that could not be ended within the deadline. */
  survivors: number[]
  ms: number
  /** A sentence for the user; undefined when there was nothing. */
  message: string | undefined
}

export interface ReapOptions {
  last: RegistryContent
  bootId: string
  /** Sends a signal to the very process that had this number at this start time. */
  signal(pid: number, startTime: string, signal: NodeJS.Signals): boolean
  logger: Logger
  /** From SIGTERM to SIGKILL. Default 3,000 ms. */
  graceMs?: number
  /** Default 10,000 ms. */
  deadlineMs?: number
}

/**
 * Ends what is left of a run that crashed together with its guards. A process counts as ours only when its number and start
 * time are those that were recorded, when it descends from such a process or belongs to its group, or when it carries the
 * mark of its tree (which holds the old run's token) in its environment. Everything else is left alone, whatever its command line says.
 * @throws AppError `already_running` when the sidecar that wrote the registry is still running.
 */
export async function reapLeftovers(options: ReapOptions): Promise<LeftoverReport> {
  const { last, bootId, signal, logger, graceMs = 3000, deadlineMs = 10_000 } = options
  const from = performance.now()
  const elapsed = () => Math.round(performance.now() - from)
  const stats = readAllStats()
  if (last.sidecar.pid !== process.pid && findSame(last.sidecar, stats, bootId)) {
    throw new AppError('already_running', `StableNew is already running on this data folder (process ${last.sidecar.pid})`)
  }
  // Numbers mean nothing after a restart of the machine. What was released is for adoption.
  const entries = last.processes.filter((entry) =>
    entry.guard?.bootId !== undefined ? entry.guard.bootId === bootId : last.sidecar.bootId === bootId,
  )
  const lost = entries.filter(({ state }) => state !== 'released')

  // Once seen as ours it stays ours, also when its parent dies and it loses its place below it.
  const ours = new Map<string, { stat: ProcessStat; role: string }>()
  const look = () => {
    const now = readAllStats()
    for (const found of membersOf(lost, now, bootId, ours)) ours.set(keyOf(found.stat), found)
    return now.filter((stat) => isAlive(stat) && ours.has(keyOf(stat)))
  }

  let left = lost.length > 0 ? look() : []
  const found = [...ours.values()].map(({ stat, role }) => ({ pid: stat.pid, name: stat.name, role }))
  const told = new Set<string>()
  while (left.length > 0 && elapsed() < deadlineMs) {
    const force = elapsed() >= graceMs
    for (const stat of left) {
      const { pid, startTime } = stat
      if (force) signal(pid, startTime, 'SIGKILL')
      else if (!told.has(keyOf(stat))) {
        told.add(keyOf(stat))
        signal(pid, startTime, 'SIGTERM')
        // A stopped process acts on no other signal.
        signal(pid, startTime, 'SIGCONT')
      }
    }
    await sleep(force ? 5 : 25)
    left = look()
  }
  const survivors = left.map(({ pid }) => pid)
  const report: LeftoverReport = { found, survivors, ms: elapsed(), message: sentence(found.length, survivors.length) }
  if (found.length > 0) logger.warn(report, 'processes of the last run were still there')
  return report
}

function sentence(found: number, survivors: number): string | undefined {
  if (found === 0) return undefined
  const were = found === 1 ? '1 process of the last run was still there' : `${found} processes of the last run were still there`
  if (survivors > 0) return `${were}; ${survivors} could not be ended`
  return `${were} and ${found === 1 ? 'has' : 'have'} been ended`
}

const keyOf = ({ pid, startTime }: { pid: number; startTime: string }) => `${pid}@${startTime}`

function findSame(identity: ProcessIdentity | undefined, stats: ProcessStat[], bootId: string): ProcessStat | undefined {
  if (!identity || identity.bootId !== bootId) return undefined
  return stats.find((stat) => isAlive(stat) && stat.pid === identity.pid && stat.startTime === identity.startTime)
}

type Found = { stat: ProcessStat; role: string }

function membersOf(entries: RegistryEntry[], stats: ProcessStat[], bootId: string, known: Map<string, Found>): Found[] {
  const found: Found[] = []
  const self = ancestryOf(process.pid, stats)
  const add = (root: ProcessStat, role: string) => {
    // A group is taken only while its leader is there to prove whose it is.
    const group = stats.filter(({ groupId }) => groupId === root.pid)
    for (const stat of [root, ...group, ...descendantsOf(root.pid, stats)]) {
      if (isAlive(stat) && !self.has(stat.pid)) found.push({ stat, role })
    }
  }
  for (const { guard, leader, role } of entries) {
    for (const identity of [guard, leader]) {
      const same = findSame(identity, stats, bootId)
      if (same) add(same, role)
    }
  }
  for (const stat of stats) {
    const earlier = known.get(keyOf(stat))
    const entry = earlier ?? entries.find(({ id }) => hasMark(stat.pid, SPAWN_ID, id))
    if (entry) add(stat, entry.role)
  }
  return found
}

/** This process and those above it, which are never ours to end. */
function ancestryOf(pid: number, stats: ProcessStat[]): Set<number> {
  const parents = new Map(stats.map((stat) => [stat.pid, stat.parentPid]))
  const line = new Set<number>()
  for (let at: number | undefined = pid; at && !line.has(at); at = parents.get(at)) line.add(at)
  return line
}
