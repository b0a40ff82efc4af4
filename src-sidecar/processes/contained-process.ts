import type { Logger } from 'pino'
import { AppError } from '../errors/app-error.ts'
import { type GuardLink, spawnGuard } from './guard-link.ts'
import { OutputLines } from './output-lines.ts'
import { OutputLog } from './output-log.ts'
import type { ContainmentLevel, ContainmentPlatform } from './platform.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { RegistryEntry } from './process-registry.ts'
import { RUN_TOKEN, SPAWN_ID } from './run-token.ts'
import { settledWithin } from './settled-within.ts'
import type { FromShim } from './shim-protocol.ts'

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
}

/** How a process ended, as data. */
export interface ProcessClosed {
  /** `exited` by itself, `killed` by a signal that was not ours, `terminated` by us. */
  outcome: 'exited' | 'killed' | 'spawn_failed' | 'terminated'
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
  /** Settles when NOTHING of the tree is left; never rejects. */
  readonly closed: Promise<ProcessClosed>
  /** Ends the tree. Calls share one termination; `force` skips the grace, also later. Resolves like `closed`. */
  terminate(force?: AbortSignal): Promise<ProcessClosed>
}

export interface SpawnContext {
  platform: ContainmentPlatform
  env: Readonly<Record<string, string | undefined>>
  runToken: string
  spawnId: string
  logger: Logger
  registry: { put(entry: RegistryEntry): void; remove(id: string): void }
}

const POLITE_MS = 1000
/** A guard that has not reported by then is taken for hung and killed: grace + this. */
const GUARD_SLACK_MS = 1500

/**
 * One guard and the tree below it, as the sidecar sees them.
 * States, changed only here: starting → running → ending (polite, signals, kill) → closed.
 */
export class GuardedProcess implements ContainedProcess {
  readonly role: string
  readonly level: ContainmentLevel
  readonly closed: Promise<ProcessClosed>
  /** Rejects with AppError `spawn_failed`; its `data` is a ProcessClosed. */
  readonly started: Promise<void>
  readonly #context: SpawnContext
  readonly #command: string
  readonly #options: SpawnOptions
  readonly #link: GuardLink
  readonly #output: OutputLines
  readonly #log: Logger
  readonly #steps: ProcessClosed['steps'] = []
  readonly #start = Promise.withResolvers<void>()
  readonly #entry: RegistryEntry
  #identity: ProcessIdentity = { pid: 0, startTime: '', bootId: '' }
  #leader: ProcessIdentity | undefined
  #ended: { exitCode: number | null; signal: string | null } | undefined
  #failure: string | undefined
  #empty = false
  #killed = false
  #terminating = false
  #ending = false
  #forced = false

  constructor(context: SpawnContext, command: string, args: readonly string[], options: SpawnOptions) {
    const { platform, runToken, spawnId } = context
    const file = options.logFile ? new OutputLog(options.logFile, context.logger) : undefined
    this.#context = context
    this.#command = command
    this.#options = options
    this.role = options.role
    this.level = options.level === 'shim' && platform.facts.level === 'namespace' ? 'shim' : platform.facts.level
    this.#log = context.logger.child({ role: options.role })
    this.#output = new OutputLines((stream, line) => {
      file?.write(line)
      options.onLine?.(stream, line)
    })
    this.#entry = {
      id: spawnId,
      state: 'intent',
      role: this.role,
      command,
      level: this.level,
      runToken,
      startedAt: new Date().toISOString(),
    }
    context.registry.put(this.#entry)

    const marks = { [RUN_TOKEN]: runToken, [SPAWN_ID]: spawnId }
    const guard = platform.guard(this.level)
    const readers = { stdout: this.#output.reader('stdout'), stderr: this.#output.reader('stderr') }
    this.#link = spawnGuard({
      ...guard,
      env: { ...guard.env, ...marks },
      readOutput: true,
      onOutput: (stream, chunk) => readers[stream].write(chunk),
    })
    this.#seeGuard()
    this.#link.onMessage((message) => this.#take(message))
    this.#link.send({
      type: 'start',
      command,
      args: [...args],
      cwd: options.cwd ?? '/',
      env: definedOnly({ ...context.env, ...options.env, ...marks }),
      signals: options.stop?.signals ?? ['SIGTERM'],
      graceMs: this.#graceMs,
      setpriv: platform.setpriv,
    })
    this.started = this.#start.promise
    this.started.catch(() => {})
    this.closed = this.#finish(async () => {
      for (const reader of Object.values(readers)) reader.end()
      await file?.close()
    })
  }

  get identity(): ProcessIdentity {
    return this.#identity
  }

  get leader(): ProcessIdentity | undefined {
    return this.#leader
  }

  lastLines(): string[] {
    return this.#output.lastLines()
  }

  terminate(force?: AbortSignal): Promise<ProcessClosed> {
    if (this.#ended === undefined) this.#terminating = true
    if (force?.aborted) void this.#kill()
    else if (force) {
      const cutGrace = () => void this.#kill()
      force.addEventListener('abort', cutGrace)
      void this.closed.then(() => force.removeEventListener('abort', cutGrace))
    }
    if (!this.#ending) {
      this.#ending = true
      void this.#end()
    }
    return this.closed
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 5000
  }

  #seeGuard(): void {
    const { child } = this.#link
    if (child?.pid === undefined) return
    this.#identity = this.#context.platform.identify(child.pid) ?? this.#identity
  }

  #take(message: FromShim): void {
    const { platform, registry } = this.#context
    switch (message.type) {
      case 'started': {
        const { child } = this.#link
        if (child) this.#identity = platform.findGuard(child, this.level) ?? this.#identity
        this.#leader = platform.findLeader(this.#identity, message.pid, this.level)
        registry.put({ ...this.#entry, state: 'running', guard: this.#identity, leader: this.#leader })
        this.#log.info(
          { command: this.#command, containment: this.level, guardPid: this.#identity.pid, leaderPid: this.#leader?.pid },
          'process started',
        )
        this.#start.resolve()
        break
      }
      case 'spawn_failed':
        this.#failure = message.message
        break
      case 'leader_exited':
        this.#ended = { exitCode: message.exitCode, signal: message.signal }
        break
      case 'step':
        this.#steps.push({ name: message.name, ms: message.ms })
        break
      case 'empty':
        this.#empty = true
        this.#killed = message.killed
    }
  }

  async #finish(closeOutput: () => Promise<void>): Promise<ProcessClosed> {
    const { platform, registry, spawnId } = this.#context
    const guardError = await this.#link.gone
    const guard = this.#identity
    if (!this.#empty && guard.pid !== 0 && this.#failure === undefined) {
      const from = performance.now()
      this.#log.warn({ guardPid: guard.pid }, 'the guard ended before its tree did')
      await platform.sweep({ guard, leader: this.#leader, spawnId })
      this.#killed = true
      // The command went down with its guard, or was ended just now.
      this.#ended ??= { exitCode: null, signal: 'SIGKILL' }
      this.#steps.push({ name: 'sweep', ms: Math.round(performance.now() - from) })
    }
    this.#failure ??= guardError?.message
    await closeOutput()
    registry.remove(spawnId)
    const closed = this.#result()
    if (this.#failure !== undefined) {
      const message = `${this.role} could not be started: ${this.#failure}`
      this.#start.reject(
        new AppError('spawn_failed', message, { cause: guardError, data: { command: this.#command, ...closed } }),
      )
    } else this.#start.resolve()
    this.#log.info({ guardPid: guard.pid, ...closed, lastLines: undefined }, 'process closed')
    return closed
  }

  #result(): ProcessClosed {
    const { exitCode, signal } = this.#ended ?? { exitCode: null, signal: null }
    const own = signal ? 'killed' : 'exited'
    return {
      outcome: this.#failure !== undefined ? 'spawn_failed' : this.#terminating ? 'terminated' : own,
      exitCode,
      signal,
      lastLines: this.lastLines(),
      steps: this.#steps,
      killed: this.#killed,
    }
  }

  async #end(): Promise<void> {
    const polite = this.#options.stop?.polite
    if (polite && !this.#forced) {
      const from = performance.now()
      if (await settledWithin(polite(), POLITE_MS)) await settledWithin(this.closed, POLITE_MS - (performance.now() - from))
      this.#steps.push({ name: 'polite', ms: Math.round(performance.now() - from) })
    }
    if (this.#forced) return
    this.#link.send({ type: 'terminate' })
    if (!(await settledWithin(this.closed, this.#graceMs + GUARD_SLACK_MS)) && !this.#forced) this.#killGuard()
  }

  async #kill(): Promise<void> {
    if (this.#forced) return
    this.#forced = true
    this.#link.send({ type: 'kill' })
    if (!(await settledWithin(this.closed, GUARD_SLACK_MS))) this.#killGuard()
  }

  #killGuard(): void {
    const { pid, startTime } = this.#identity
    if (this.#context.platform.signal(pid, startTime, 'SIGKILL')) {
      this.#log.warn({ guardPid: pid }, 'the guard did not answer and was killed')
    }
  }
}

const definedOnly = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
