import type { ChildProcess } from 'node:child_process'
import type { ProcessIdentity } from './process-identity.ts'

/**
 * How far a guard reaches. `namespace`: even when sidecar and guard are both killed, the kernel ends the rest. `shim`: a
 * subreaper (Windows: a job object) ends everything below it, also when the sidecar is killed. `group`: process group,
 * descent and environment mark only.
 */
export type ContainmentLevel = 'namespace' | 'shim' | 'group'

/** What this machine allows, for Diagnostics. */
export interface ContainmentFacts {
  level: ContainmentLevel
  /** Why a higher level is not used; empty when it is the highest, or was not asked for. */
  reasons: string[]
  /** The command's own life is tied to its guard's (Linux PDEATHSIG). */
  parentDeathSignal: boolean
  /** Signals go through process descriptors, free of the reuse of numbers. */
  processDescriptors: boolean
  /** What a killed guard drops falls to the sidecar, which ends it. */
  subreaper: boolean
}

/** What differs by operating system. */
export interface ContainmentPlatform {
  readonly facts: ContainmentFacts
  readonly bootId: string
  /** Path of setpriv or undefined. */
  readonly setpriv: string | undefined
  /** The guard's command line and what it needs in its environment. */
  guard(level: ContainmentLevel): { file: string; args: string[]; env: Record<string, string> }
  identify(pid: number): ProcessIdentity | undefined
  isAlive(identity: ProcessIdentity): boolean
  /** Sends to the very process that had this number at this start time. False when it is gone. */
  signal(pid: number, startTime: string, signal: NodeJS.Signals): boolean
  /** The guard below `child` (with a PID namespace, `child` is unshare); undefined when it has gone already. */
  findGuard(child: ChildProcess, level: ContainmentLevel): ProcessIdentity | undefined
  /** The command, which the guard knows by `innerPid`. */
  findLeader(guard: ProcessIdentity, innerPid: number, level: ContainmentLevel): ProcessIdentity | undefined
  /** Ends what a guard that was killed has dropped; resolves when nothing of it is left. */
  sweep(tree: { guard: ProcessIdentity; leader: ProcessIdentity | undefined; spawnId: string }): Promise<void>
  /** Gives up what it holds. @returns the numbers of processes below the sidecar that should not be there. */
  close(): Promise<number[]>
}

/** What a platform is made of. */
export interface PlatformOptions {
  wanted: 'auto' | ContainmentLevel
  env: Readonly<Record<string, string | undefined>>
  dataDir: string
}
