import type { Logger } from 'pino'
import { AppError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason } from '../lifecycle/component.ts'
import { type ContainedProcess, type ProcessClosed, type SpawnOptions, startContained } from './contained-process.ts'
import type { ContainmentFacts, ContainmentLevel, ContainmentPlatform } from './platform.ts'

export type { ContainedProcess, ProcessClosed, SpawnOptions, StopPlan } from './contained-process.ts'
export type { ContainmentFacts, ContainmentLevel } from './platform.ts'
export type { ProcessIdentity } from './process-identity.ts'

export interface ContainmentOptions {
  /** Where `process_registry.json` lives. */
  dataDir: string
  /** Marks everything that this run starts, in its environment; another one for each run. */
  runToken: string
  /** The highest level to use; `auto` is the best that this machine allows. */
  level: 'auto' | ContainmentLevel
  /** The environment that children start from. */
  env: Readonly<Record<string, string | undefined>>
  logger: Logger
}

export interface TerminationReport {
  processes: { role: string; pid: number; closed: ProcessClosed }[]
  /** Processes that should be gone and are not. Empty unless something can't be killed (a driver that hangs). */
  survivors: number[]
}

/**
 * The only way to start a process. Whatever is started here ends with the sidecar, however the sidecar ends.
 * States: new → started → stopping → closed; changed only here.
 */
export class Containment implements Component {
  readonly name = 'processes'
  readonly closed: Promise<ComponentExit>
  readonly #options: ContainmentOptions
  readonly #live = new Set<ContainedProcess>()
  #platform: Promise<ContainmentPlatform> | undefined
  #stopping: Promise<TerminationReport> | undefined
  #close = (_exit: ComponentExit) => {}

  constructor(options: ContainmentOptions) {
    this.#options = options
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
  }

  /** Makes the sidecar a subreaper and finds out, once, which level this machine allows. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#platform ??= loadPlatform(this.#options)
    await this.#platform
  }

  /** What this machine allows and why not more, for Diagnostics. Starts the probe where it has not run yet. */
  async facts(): Promise<ContainmentFacts> {
    this.#platform ??= loadPlatform(this.#options)
    return (await this.#platform).facts
  }

  /** What runs now. */
  get processes(): readonly ContainedProcess[] {
    return [...this.#live]
  }

  /**
   * Starts `command` below a guard of its own and resolves when it runs.
   * @throws AppError `spawn_failed` when it can't be started (nothing is left then; `data` is a ProcessClosed),
   * `shutting_down` after `stop`.
   */
  async spawnContained(command: string, args: readonly string[], options: SpawnOptions): Promise<ContainedProcess> {
    this.#platform ??= loadPlatform(this.#options)
    const platform = await this.#platform
    if (this.#stopping) throw new AppError('shutting_down', `${options.role} is not started: StableNew is closing`)
    const contained = startContained(platform, this.#options, command, args, options)
    this.#live.add(contained)
    void contained.closed.then(() => this.#live.delete(contained))
    await contained.started
    return contained
  }

  /**
   * Ends everything, each tree by its own stop plan, and resolves when nothing is left. Later calls share the first
   * one's result; an aborted `force` cuts the grace of all.
   */
  terminateAll(force: AbortSignal): Promise<TerminationReport> {
    const cutGrace = () => {
      for (const contained of this.#live) void contained.terminate(force)
    }
    if (force.aborted) cutGrace()
    else force.addEventListener('abort', cutGrace, { once: true })
    this.#stopping ??= this.#terminateAll(force)
    return this.#stopping
  }

  async stop(_reason: StopReason, force: AbortSignal): Promise<void> {
    const report = await this.terminateAll(force)
    if (report.survivors.length > 0) {
      throw new AppError('not_stopped', `processes are still there: ${report.survivors.join(', ')}`, { data: { ...report } })
    }
  }

  async #terminateAll(force: AbortSignal): Promise<TerminationReport> {
    const live = [...this.#live]
    const processes = await Promise.all(
      live.map(async (contained) => {
        const closed = await contained.terminate(force)
        return { role: contained.role, pid: contained.identity?.pid ?? 0, closed }
      }),
    )
    const survivors = this.#platform ? await (await this.#platform).close() : []
    this.#close({ name: this.name })
    return { processes, survivors }
  }
}

async function loadPlatform({ level, env, logger, dataDir }: ContainmentOptions): Promise<ContainmentPlatform> {
  const { createLinuxPlatform } = await import('./containment.linux.ts')
  return createLinuxPlatform({ wanted: level, env, logger, dataDir })
}
