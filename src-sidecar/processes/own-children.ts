import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readAllStats, readProcessStat } from './process-stat.ts'

// Node reaps the children that it started; taking one away from it would leave its `exit` event out for ever. Node tells
// of each child that it starts, wherever in the program that happens.
const running = new Set<ChildProcess>()
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess }
  running.add(child)
  const forget = () => running.delete(child)
  child.once('exit', forget)
  child.once('error', () => child.pid === undefined && forget())
})

/** What was there before this file was loaded may be Node's too. */
const earlier = new Map(
  readAllStats()
    .filter(({ parentPid }) => parentPid === process.pid)
    .map(({ pid, startTime }) => [pid, startTime]),
)

/** Whether Node itself waits for this child of ours. */
export function isNodesChild(pid: number): boolean {
  for (const child of running) if (child.pid === pid) return true
  const startTime = earlier.get(pid)
  return startTime !== undefined && readProcessStat(pid)?.startTime === startTime
}

/** How many children of ours Node itself waits for. */
export const countNodesChildren = (): number => [...running].filter(({ pid }) => pid !== undefined).length
