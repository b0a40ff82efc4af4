import type { Logger } from 'pino'
import { AppError, asError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason } from '../lifecycle/component.ts'
import type { AdoptOptions, ContainedProcess, ProcessClosed, SpawnOptions } from './contained-process.ts'
import type { GuardedProcess, SpawnContext } from './guarded-process.ts'
import { loadPlatform } from './load-platform.ts'
import type { ContainmentFacts, ContainmentLevel, ContainmentPlatform } from './platform.ts'
import { ProcessRegistry, type RegistryEntry } from './process-registry.ts'
import { readProcessStat } from './process-stat.ts'
import { type LeftoverReport, reapLeftovers } from './reap-leftovers.ts'
import { adoptContained, intentOf, startContained } from './start-contained.ts'

export type { AdoptOptions, ContainedProcess, ProcessClosed, SpawnOptions, StopPlan } from './contained-process.ts'
export type { ContainmentFacts, ContainmentLevel } from './platform.ts'
export type { ProcessIdentity } from './process-identity.ts'
export type { LeftoverReport } from './reap-leftovers.ts'

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
  /** Processes marked persistent go on when this sidecar closes cleanly. */
  serverMode?: boolean
}

/** A process that an earlier sidecar released and that still runs. */
export type Adoptable = Pick<RegistryEntry, 'id' | 'role' | 'command' | 'startedAt' | 'logFile' | 'note'>

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
  readonly #live = new Set<GuardedProcess>()
  #ready: Promise<Ready> | undefined
  #stopping: Promise<TerminationReport> | undefined
  #spawned = 0
  readonly #released: number[] = []
  #leftovers: LeftoverReport | undefined
  #close = (_exit: ComponentExit) => {}

  constructor(options: ContainmentOptions) {
    this.#options = options
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
  }

  /**
   * Finds out, once, which level this machine allows, and ends what a crashed run has left.
   * @throws AppError `already_running` when the registry belongs to a sidecar that still runs.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#load()
  }

  /** What the last run had left and what became of it; undefined before `start` and after a clean run. */
  get leftovers(): LeftoverReport | undefined {
    return this.#leftovers
  }

  /** What this machine allows and why not more, for Diagnostics. */
  async facts(): Promise<ContainmentFacts> {
    return (await this.#load()).context.platform.facts
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
    const { context, registry } = await this.#load()
    const closing = new AppError('shutting_down', `${options.role} is not started: StableNew is closing`)
    if (this.#stopping) throw closing
    const intent = intentOf(context, `${context.runToken}.${++this.#spawned}`, command, options)
    await registry.put(intent)
    if (this.#stopping) {
      await registry.remove(intent.id)
      throw closing
    }
    const contained = startContained(context, intent, args, options)
    this.#keep(contained)
    await contained.started
    await registry.saved()
    return contained
  }

  /** Our own children that go on after us, by intent: guards that were released, or what started them. */
  get releasedPids(): readonly number[] {
    return this.#released
  }

  /** What an earlier sidecar released and nobody has adopted yet. */
  async adoptable(): Promise<Adoptable[]> {
    return (await this.#load()).registry.entries.filter(({ state }) => state === 'released')
  }

  /**
   * Takes over a released process; whether it is healthy is the caller's to find out.
   * @throws AppError `spawn_failed` when its guard does not answer; it is reported, not killed, and stays adoptable.
   */
  async adopt(id: string, options: AdoptOptions = {}): Promise<ContainedProcess> {
    const { context, registry } = await this.#load()
    const entry = registry.entries.find((released) => released.id === id && released.state === 'released')
    if (!entry) throw new AppError('spawn_failed', `there is no released process ${id} to take over`)
    try {
      const contained = await adoptContained(context, entry, options)
      this.#keep(contained)
      return contained
    } catch (thrown) {
      const message = `${entry.role} of the last run could not be taken over: ${asError(thrown).message}`
      throw new AppError('spawn_failed', message, { cause: thrown })
    }
  }

  #keep(contained: GuardedProcess): void {
    this.#live.add(contained)
    void contained.closed.then(() => this.#live.delete(contained))
  }

  /**
   * Ends everything, each tree by its own stop plan, and resolves when nothing is left. Later calls share the first
   * one's result; an aborted `force` cuts the grace of all.
   */
  terminateAll(force: AbortSignal): Promise<TerminationReport> {
    const cutGrace = () => {
      for (const contained of this.#live) if (!this.#toRelease(contained)) void contained.terminate(force)
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
        const released = this.#toRelease(contained) && (await contained.release())
        const closed = released ? await contained.closed : await contained.terminate(force)
        // In a namespace our child is `unshare`, and the guard is its child.
        if (released) this.#released.push(contained.identity.pid, readProcessStat(contained.identity.pid)?.parentPid ?? 0)
        return { role: contained.role, pid: contained.identity.pid, closed }
      }),
    )
    const ready = await this.#ready?.catch(() => undefined)
    await ready?.registry.saved()
    const survivors = ready ? await ready.context.platform.close() : []
    this.#close({ name: this.name })
    return { processes, survivors }
  }

  #toRelease(contained: GuardedProcess): boolean {
    return this.#options.serverMode === true && contained.persistent
  }

  #load(): Promise<Ready> {
    this.#ready ??= this.#prepare()
    return this.#ready
  }

  async #prepare(): Promise<Ready> {
    const { dataDir, logger } = this.#options
    const platform = await loadPlatform({ ...this.#options, wanted: this.#options.level })
    logger.info({ ...platform.facts, level: undefined, containment: platform.facts.level }, 'containment')
    const self = platform.identify(process.pid) ?? { pid: process.pid, startTime: 'unknown', bootId: platform.bootId }
    const registry = new ProcessRegistry(dataDir, self, logger)
    try {
      await this.#clearLastRun(registry, platform)
    } catch (thrown) {
      await platform.close()
      throw thrown
    }
    const { env, runToken } = this.#options
    return { registry, context: { platform, registry, env, runToken, dataDir, logger } }
  }

  async #clearLastRun(registry: ProcessRegistry, platform: ContainmentPlatform): Promise<void> {
    const last = registry.readLast()
    if (last) {
      const { logger } = this.#options
      const report = await reapLeftovers({ last, bootId: platform.bootId, signal: platform.signal, logger })
      if (report.found.length > 0) this.#leftovers = report
    }
    const released = last?.processes.filter(({ state, guard }) => state === 'released' && guard && platform.isAlive(guard))
    await registry.begin(released ?? [])
  }
}

interface Ready {
  registry: ProcessRegistry
  context: SpawnContext
}
