import type { ContainmentLevel } from './platform.ts'
import type { ProcessIdentity } from './process-identity.ts'

export interface StopPlan {
  /** Sent to the whole tree one after another, evenly over the grace. Default `['SIGTERM']`; Python: `['SIGINT', 'SIGTERM']`. */
  signals?: NodeJS.Signals[]
  /** The backend's own stop call, tried first and given 1,000 ms to take effect. */
  polite?: () => Promise<void>
}

export interface SpawnOptions {
  /** `backend`, `window`, `tool` … */
  role: string
  /** Default: the root folder, so that nobody's folder is held. */
  cwd?: string
  /** On top of the sidecar's own environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>
  /** From the first signal to SIGKILL. Default 5,000 ms. */
  graceMs?: number
  stop?: StopPlan
  /** Not the machine's best level, for programs that don't bear a PID namespace (a browser with a sandbox of its own). */
  level?: 'shim'
  onLine?(stream: 'stdout' | 'stderr', line: string): void
  /** All output goes here, rotated at 5 MB, three old files kept. */
  logFile?: string
  /** May outlive the sidecar in server mode. Needs a `logFile`: the command then writes into it itself, both streams as one. */
  persistent?: boolean
  /** Kept in the registry for whoever adopts it: its port, say. */
  note?: string
}

/** What the next sidecar says when it takes over a released process; the command, signals and grace stay as they were. */
export type AdoptOptions = Pick<SpawnOptions, 'onLine'> & { stop?: Pick<StopPlan, 'polite'> }

/** How a process ended, as data. */
export interface ProcessClosed {
  /** `exited` by itself, `killed` by a signal that was not ours, `terminated` by us; `released`: it goes on without us. */
  outcome: 'exited' | 'killed' | 'spawn_failed' | 'terminated' | 'released'
  exitCode: number | null
  signal: string | null
  lastLines: string[]
  /** Each step of the termination and how long it took. */
  steps: { name: string; ms: number }[]
  /** Grace was not enough. */
  killed: boolean
}

export interface ContainedProcess {
  /** The guard, whose end means the end of the tree. */
  readonly identity: ProcessIdentity
  /** The command itself, by its number on this machine; undefined when it was gone before it could be seen. */
  readonly leader: ProcessIdentity | undefined
  readonly level: ContainmentLevel
  readonly role: string
  /** The last 200. */
  lastLines(): string[]
  /** In the registry and in the environment of all of the tree. */
  readonly spawnId: string
  /** Settles when NOTHING of the tree is left, or when it was released; never rejects. */
  readonly closed: Promise<ProcessClosed>
  /** Ends the tree. Calls share one termination; `force` skips the grace, also later. Resolves like `closed`. */
  terminate(force?: AbortSignal): Promise<ProcessClosed>
}
