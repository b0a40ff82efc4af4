import type { Logger } from 'pino'
import { AppError } from '../errors/app-error.ts'
import type { ContainedProcess, ProcessClosed, StopPlan } from './contained-process.ts'
import type { GuardLink } from './guard-link.ts'
import type { OutputLines } from './output-lines.ts'
import type { ContainmentLevel, ContainmentPlatform } from './platform.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { RegistryEntry } from './process-registry.ts'
import { settledWithin } from './settled-within.ts'
import type { FromShim } from './shim-protocol.ts'

export interface SpawnContext {
  platform: ContainmentPlatform
  env: Readonly<Record<string, string | undefined>>
  runToken: string
  dataDir: string
  logger: Logger
  registry: { put(entry: RegistryEntry): Promise<void>; remove(id: string): Promise<void> }
}

/** What a new and an adopted process differ in. */
export interface GuardedOptions {
  entry: RegistryEntry
  link: GuardLink
  output: OutputLines
  closeOutput(): Promise<void>
  graceMs: number
  polite: StopPlan['polite'] | undefined
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
  readonly spawnId: string
  readonly #context: SpawnContext
  readonly #options: GuardedOptions
  readonly #link: GuardLink
  readonly #output: OutputLines
  readonly #log: Logger
  readonly #steps: ProcessClosed['steps'] = []
  readonly #start = Promise.withResolvers<void>()
  #entry: RegistryEntry
  #identity: ProcessIdentity = { pid: 0, startTime: '', bootId: '' }
  #leader: ProcessIdentity | undefined
  #ended: { exitCode: number | null; signal: string | null } | undefined
  #failure: string | undefined
  #empty = false
  #killed = false
  #terminating = false
  #ending = false
  #forced = false
  #released = false

  constructor(context: SpawnContext, options: GuardedOptions) {
    const { entry, link } = options
    this.#context = context
    this.#options = options
    this.#entry = entry
    this.#link = link
    this.#output = options.output
    this.role = entry.role
    this.level = entry.level
    this.spawnId = entry.id
    this.#log = context.logger.child({ role: entry.role })
    const { child } = link
    if (child?.pid !== undefined) this.#identity = context.platform.identify(child.pid) ?? this.#identity
    link.onMessage((message) => this.#take(message))
    if (entry.guard) this.#seeRunning(entry.guard, entry.leader)
    this.started = this.#start.promise
    this.started.catch(() => {})
    this.closed = this.#finish()
  }

  get identity(): ProcessIdentity {
    return this.#identity
  }

  get leader(): ProcessIdentity | undefined {
    return this.#leader
  }

  /** It may be released: its guard can listen for another sidecar. */
  get persistent(): boolean {
    return this.#entry.socket !== undefined
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

  /**
   * Lets a persistent process go on without this sidecar.
   * @returns false when its guard did not agree within 2,000 ms; it ends with the sidecar then
   */
  async release(): Promise<boolean> {
    if (!this.persistent || this.#ending) return false
    const agreed = Promise.withResolvers<void>()
    this.#link.onMessage((message) => message.type === 'released' && agreed.resolve())
    this.#link.send({ type: 'release' })
    await settledWithin(Promise.race([agreed.promise, this.closed]), 2000)
    if (!this.#released) return false
    this.#entry = { ...this.#entry, state: 'released' }
    await this.#context.registry.put(this.#entry)
    this.#link.letGo()
    await this.closed
    return true
  }

  #seeRunning(guard: ProcessIdentity, leader: ProcessIdentity | undefined): void {
    this.#identity = guard
    this.#leader = leader
    this.#entry = { ...this.#entry, state: 'running', guard, leader }
    void this.#context.registry.put(this.#entry)
    const { command, level } = this.#entry
    this.#log.info({ command, containment: level, guardPid: guard.pid, leaderPid: leader?.pid }, 'process started')
    this.#start.resolve()
  }

  #take(message: FromShim): void {
    const { platform } = this.#context
    switch (message.type) {
      case 'started': {
        const { child } = this.#link
        const guard = (child && platform.findGuard(child, this.level)) ?? this.#identity
        this.#seeRunning(guard, platform.findLeader(guard, message.pid, this.level))
        break
      }
      case 'released':
        this.#released = true
        break
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

  async #finish(): Promise<ProcessClosed> {
    const { platform, registry } = this.#context
    const { spawnId } = this
    const guardError = await this.#link.gone
    if (this.#released) {
      await this.#options.closeOutput()
      return { ...this.#result(), outcome: 'released' }
    }
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
    await this.#options.closeOutput()
    if (this.#entry.state === 'intent')
      this.#failure ??= `its guard ended too soon: ${this.lastLines().join(' ') || 'without a word'}`
    await registry.remove(spawnId)
    const closed = this.#result()
    if (this.#failure !== undefined) {
      const message = `${this.role} could not be started: ${this.#failure}`
      this.#start.reject(
        new AppError('spawn_failed', message, {
          cause: guardError,
          data: { command: this.#entry.command, why: this.#failure, ...closed },
        }),
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
    const { polite } = this.#options
    if (polite && !this.#forced) {
      const from = performance.now()
      if (await settledWithin(Promise.resolve().then(polite), POLITE_MS))
        await settledWithin(this.closed, POLITE_MS - (performance.now() - from))
      this.#steps.push({ name: 'polite', ms: Math.round(performance.now() - from) })
    }
    if (this.#forced) return
    this.#link.send({ type: 'terminate' })
    if (!(await settledWithin(this.closed, this.#options.graceMs + GUARD_SLACK_MS)) && !this.#forced) this.#killGuard()
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
