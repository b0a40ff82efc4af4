import type { ChildProcess } from 'node:child_process'
import type { ProcessIdentity } from './process-identity.ts'

/**
 * How far a guard reaches. `namespace`: even when sidecar and guard are both killed, the kernel ends the rest. `shim`: a
 * subreaper ends everything below it, also when the sidecar is killed. `group`: process group and run token only.
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
  /** The guard's command line at a level. */
  guard(level: ContainmentLevel): { file: string; args: string[]; env: Record<string, string> }
  /** Path of setpriv or undefined. */
  readonly setpriv: string | undefined
  /** Told of each child of libuv, so that it is never taken for an orphan. */
  adoptChild(child: ChildProcess): void
  identify(pid: number): ProcessIdentity | undefined
  isAlive(identity: ProcessIdentity): boolean
  /** False when it is gone. */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): boolean
  /** The guard below `child` (with a PID namespace, `child` is unshare); undefined when it has gone already. */
  findGuard(child: ChildProcess, level: ContainmentLevel): ProcessIdentity | undefined
  /** The command, which the guard knows by `innerPid`. */
  findLeader(guard: ProcessIdentity, innerPid: number, level: ContainmentLevel): ProcessIdentity | undefined
  /** Ends what a guard that was killed has dropped; resolves when nothing of it is left. */
  sweep(guard: ProcessIdentity | undefined): Promise<void>
  /** Gives up what it holds. @returns the numbers of processes below the sidecar that should not be there. */
  close(): Promise<number[]>
}
