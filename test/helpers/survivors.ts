import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { countNodesChildren, isNodesChild } from '../../src-sidecar/processes/own-children.ts'
import { readAllStats, readProcessStat } from '../../src-sidecar/processes/process-stat.ts'
import { commandLineOf, listeningPorts as portsOf } from '../../src-sidecar/processes/tree-resources.ts'

export { commandLineOf as commandLine }

/**
 * Counts what is left by asking the kernel alone, without registry or token. The test process makes itself
 * a subreaper, so that whatever was started below it stays below it, whatever session, group, parent or environment it
 * gives up. Works in vitest's fork pool; in a thread pool test files would see each other's processes.
 */
export interface LiveProcess {
  pid: number
  parentPid: number
  name: string
  state: string
  startTime: string
}

// Loaded on Linux alone: elsewhere there is no libc to load it from.
const native = process.platform === 'linux' ? await import('../../src-sidecar/processes/native-linux.ts') : undefined
if (native) {
  if (!native.becomeSubreaper()) throw new Error('the test process could not become a subreaper')
  process.on('SIGCHLD', reapAdopted)
}

/** Takes dead orphans away. @returns whether the kernel says that we have no child at all, dead or alive */
function reapAdopted(): boolean {
  for (;;) {
    const exited = native?.peekExitedChild()
    if (exited === 'childless') return true
    if (typeof exited !== 'number' || isNodesChild(exited) || !native?.reapChild(exited)) return false
  }
}

function readProcess(pid: number): LiveProcess | undefined {
  if (process.platform !== 'linux') return readProcessStat(pid)
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const field = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
    return { pid, name, state: field[0]!, parentPid: Number(field[1]), startTime: field[19]! }
  } catch {
    return undefined
  }
}

/** Everything alive below this process, adopted orphans included; zombies hold nothing and don't count. */
export function liveDescendants(rootPid = process.pid): LiveProcess[] {
  reapAdopted()
  const all = process.platform === 'linux' ? numbersIn('/proc').flatMap((pid) => readProcess(pid) ?? []) : readAllStats()
  const below = new Set([rootPid])
  const found: LiveProcess[] = []
  for (let before = -1; before !== below.size; ) {
    before = below.size
    for (const one of all) {
      if (below.has(one.pid) || !below.has(one.parentPid)) continue
      below.add(one.pid)
      if (one.state !== 'Z' && one.state !== 'X') found.push(one)
    }
  }
  return found
}

/** TCP ports that this process and all below it listen on, or those given. */
export const listeningPorts = (pids = [process.pid, ...liveDescendants().map(({ pid }) => pid)]): number[] => portsOf(pids)

export interface Baseline {
  /** What has come since and is still there. */
  survivors(): LiveProcess[]
  /** Ports opened since by this process or its descendants. */
  openPorts(): number[]
  /** Whether it is proven that nothing is left; to be asked again and again. */
  nothingLeft(): boolean
  /** Polls until nothing is left. @throws naming what is left after `ms` milliseconds (default 5,000) */
  expectNothingLeft(ms?: number): Promise<void>
}

/** Remembers what is there now; what comes later must be gone again, but for what `isOurs` says is somebody else's. */
export function takeBaseline(isOurs: (one: LiveProcess) => boolean = () => true): Baseline {
  const known = new Set(liveDescendants().map(keyOf))
  const knownPorts = new Set(listeningPorts())
  const survivors = () => liveDescendants().filter((one) => !known.has(keyOf(one)) && isOurs(one))
  const openPorts = () => listeningPorts().filter((port) => !knownPorts.has(port))
  // A chain that forks and exits is missed by many a scan: only "no child at all" is proof. Where the test itself still has
  // a child, 20 scans have to do, and where no kernel says so (on Windows).
  let emptyScans = 0
  const nothingLeft = () => {
    emptyScans = survivors().length === 0 ? emptyScans + 1 : 0
    if (emptyScans === 0) return false
    if (reapAdopted()) return true
    return emptyScans >= 20 && (!native || known.size > 0 || countNodesChildren() > 0)
  }
  return {
    survivors,
    openPorts,
    nothingLeft,
    async expectNothingLeft(ms = 5000) {
      emptyScans = 0
      for (const until = performance.now() + ms; ; await sleep(5)) {
        const ports = openPorts()
        if (nothingLeft() && ports.length === 0) return
        if (performance.now() < until) continue
        const processes = survivors()
        const named = processes.map(({ pid, name, parentPid }) => `${name} ${pid} (parent ${parentPid}) ${commandLineOf(pid)}`)
        if (processes.length + ports.length === 0) named.push('a child that no scan sees: it forks and exits')
        throw new Error(`left behind after ${ms} ms: ${[...named, ...ports.map((port) => `port ${port}`)].join('; ')}`)
      }
    },
  }
}

/** For tests that expect survivors: ends all that a baseline does not know, however fast it forks. Only ever our own descendants. */
export async function endSurvivors(baseline: Baseline, ms = 10_000): Promise<void> {
  const names = new Set<string>()
  for (const until = performance.now() + ms; performance.now() < until; await sleep(1)) {
    if (baseline.nothingLeft()) return
    for (const one of baseline.survivors()) {
      names.add(one.name)
      kill(one)
    }
    // A chain that forks and exits is our direct child at each link; a walk over all of /proc is too slow for it.
    for (const burst = performance.now() + 5; performance.now() < burst; ) {
      for (const pid of readText(`/proc/self/task/${process.pid}/children`).split(' ').filter(Boolean)) {
        const one = readProcess(Number(pid))
        if (one && names.has(one.name)) kill(one)
      }
    }
  }
  throw new Error(`could not be ended: ${JSON.stringify(baseline.survivors())}`)
}

/** Whether the very process that was seen earlier still runs. */
export function stillRuns({ pid, startTime }: { pid: number; startTime: string }): boolean {
  const now = readProcess(pid)
  return now !== undefined && now.startTime === startTime && now.state !== 'Z' && now.state !== 'X'
}

/** Signals the very process that was seen earlier; nothing when it is gone. */
export function signalSame(one: { pid: number; startTime: string }, signal: NodeJS.Signals): void {
  if (!stillRuns(one)) return
  try {
    process.kill(one.pid, signal)
  } catch {
    // Gone in between.
  }
}

const kill = (one: LiveProcess) => signalSame(one, 'SIGKILL')
const keyOf = ({ pid, startTime }: LiveProcess) => `${pid}@${startTime}`

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
