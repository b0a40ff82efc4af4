import { dirname, isAbsolute } from 'node:path'
import type { Problem } from '../contract/job.ts'
import type { ComfyuiSettings, ManagedSettings, SdapiSettings } from '../contract/settings.ts'
import type { BackendStatus } from '../contract/status.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { ComponentExit, StopReason } from '../lifecycle/component.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { whenAborted } from '../lifecycle/when-aborted.ts'
import type { ContainedProcess, Containment, ProcessClosed } from '../processes/spawn-contained.ts'
import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from './backend.ts'
import { IdleWatch } from './idle-watch.ts'
import { type KnownModels, knownModels } from './known-models.ts'
import { lookEveryMs } from './server-backend.ts'
import type { ServerClient } from './server-client.ts'
import { expectFreePort, untilHealthy } from './server-health.ts'
import { howItEnded, untilReady } from './until-ready.ts'

/** Between a lost connection and the end of the process, when that is the cause. */
const endSeenMs = 1000
const mostStarts = 5

export interface ManagedBackendOptions {
  readonly settings: Pick<SdapiSettings | ComfyuiSettings, 'id' | 'name' | 'kind' | 'url'>
  /** What it is, for people: "WebUI". */
  readonly what: string
  readonly client: ServerClient
  readonly managed: ManagedSettings
  readonly containment: Containment
  readonly logFile: string
  readonly onStatus: (status: BackendStatus) => void
  readonly remark: (text: string) => void
  /** How often it is asked whether it is there while it has nothing to do. */
  readonly lookEveryMs?: number
}

/**
 * A WebUI or ComfyUI that is started when the first image is asked for (or with the app), and again after it ended; but not after
 * five starts in a row without an image. It may restart itself as long as what was started stays: only its answers count.
 * States as in `BackendStatus`; changed only here.
 */
export class ManagedBackend implements Backend {
  readonly name: string
  readonly #options: ManagedBackendOptions
  readonly #stopping = new AbortController()
  readonly #closed = deferred<ComponentExit>()
  #status: BackendStatus
  /** From its start to its end. */
  #process: ContainedProcess | undefined
  /** Settles when it can be used; undefined when that has to be found out. */
  #ready: Promise<void> | undefined
  #startsWithoutImage = 0
  #busy = false
  readonly #idle: IdleWatch
  #known: KnownModels | null = null

  constructor(options: ManagedBackendOptions) {
    const { settings, what } = options
    const { id, kind, name, url } = settings
    this.name = name || `${what} at ${new URL(url).host}`
    this.#options = options
    this.#status = { id, kind, name: this.name, state: 'stopped', problem: null, capabilities: null }
    const everyMs = options.lookEveryMs ?? lookEveryMs
    this.#idle = new IdleWatch({ everyMs, isBusy: () => this.#busy, look: (signal) => this.#look(signal) })
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get status(): BackendStatus {
    return this.#status
  }

  get process(): ContainedProcess | null {
    return this.#process ?? null
  }

  get known(): KnownModels | null {
    return this.#known
  }

  async start(): Promise<void> {
    this.#options.onStatus(this.#status)
    this.#idle.start()
    if (this.#options.managed.startAtLaunch) this.#begin()
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    const interrupted = AbortSignal.any([signal, this.#stopping.signal])
    try {
      this.#ready ??= this.#makeReady()
      // An interrupted start goes on: the next image may want it, and `stop` ends it.
      const started = await Promise.race([this.#ready.then(() => true), whenAborted(interrupted)])
      if (started === null) return { outcome: 'interrupted' }
    } catch (error) {
      if (interrupted.aborted) return { outcome: 'interrupted' }
      return { outcome: 'unavailable', problem: problemOf(error), crashed: false }
    }
    const process = this.#process
    this.#busy = true
    const result = await this.#options.client.generate(request, onProgress, interrupted).finally(() => {
      this.#busy = false
    })
    if (result.outcome === 'done') this.#startsWithoutImage = 0
    if (result.outcome !== 'unavailable') return result
    this.#ready = undefined
    if (result.problem.code === 'backend_hung') return await this.#endHung(result)
    if (process) await withDeadline(`end of ${this.name}`, endSeenMs, process.closed).catch(() => {})
    // How it ended says more than that the connection was lost.
    const problem = (this.#process === undefined && this.#status.problem) || result.problem
    this.#turn({ state: 'failed', problem, capabilities: null })
    return { ...result, problem }
  }

  async freeMemory(signal: AbortSignal): Promise<boolean> {
    if (this.#status.state !== 'ready') return false
    return await this.#options.client.freeMemory(AbortSignal.any([signal, this.#stopping.signal]))
  }

  tryAgain(): void {
    this.#startsWithoutImage = 0
  }

  async reach(): Promise<boolean> {
    if (this.#process !== undefined || this.#startsWithoutImage < mostStarts) return true
    this.#turn({ state: 'failed', problem: problemOf(this.#givenUp()), capabilities: null })
    return false
  }

  async recycle(force: AbortSignal): Promise<void> {
    await this.#process?.terminate(force)
    this.#startsWithoutImage = 0
  }

  /** In server mode too: what the user's own command starts can't be known well enough to leave it. */
  async stop(_reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopping.abort()
    await this.#idle.stop()
    await this.#ready?.catch(() => {})
    await this.#options.client.close()
    const closed = await this.#process?.terminate(force)
    if (closed?.killed) this.#options.remark(`${this.name}: it did not end when it was asked to, and was killed`)
    this.#turn({ state: 'stopped', problem: null, capabilities: null })
    this.#closed.resolve({ name: this.name })
  }

  /** Nobody waits for it yet; how it went is in the status. */
  #begin(): void {
    this.#ready ??= this.#makeReady()
    this.#ready.catch(() => {})
  }

  /** One that says nothing any more may be restarting itself: it has its start-up limit to come back. */
  async #look(signal: AbortSignal): Promise<void> {
    if (this.#status.state !== 'ready') return
    const answers = await this.#options.client.check(signal).then(
      () => true,
      () => false,
    )
    if (answers || signal.aborted || this.#busy || this.#process === undefined || this.#status.state !== 'ready') return
    this.#ready = undefined
    this.#begin()
  }

  async #makeReady(): Promise<void> {
    try {
      this.#stopping.signal.throwIfAborted()
      const process = this.#process ?? (await this.#spawn())
      this.#turn({ state: 'starting', problem: null, capabilities: null })
      const capabilities = await untilReady(process, {
        name: this.name,
        limitMs: this.#options.managed.startupLimitS * 1000,
        ready: (over) => untilHealthy(this.#options.client, over),
        stopping: this.#stopping.signal,
      })
      this.#known = knownModels(await this.#options.client.models(this.#stopping.signal))
      // What answers without it is not ours.
      if (this.#process !== process) throw new AppError('backend_start_failed', `${this.name} ended as soon as it was ready.`)
      this.#turn({ state: 'ready', problem: null, capabilities: [...capabilities] })
    } catch (error) {
      this.#ready = undefined
      if (!this.#stopping.signal.aborted) this.#turn({ state: 'failed', problem: problemOf(error), capabilities: null })
      throw error
    }
  }

  async #spawn(): Promise<ContainedProcess> {
    const { containment, managed, logFile, settings } = this.#options
    if (this.#startsWithoutImage >= mostStarts) throw this.#givenUp()
    this.#turn({ state: 'starting', problem: null, capabilities: null })
    await expectFreePort({ ...this.#options, url: settings.url }, this.#stopping.signal)
    this.#stopping.signal.throwIfAborted()
    this.#startsWithoutImage++
    const { command, args, env } = managed
    const cwd = managed.cwd || (isAbsolute(command) ? dirname(command) : undefined)
    const process = await containment.spawnContained(command, args, {
      role: 'backend',
      ...(cwd ? { cwd } : {}),
      // Else Python keeps the last lines to itself, and they are lost when it crashes.
      env: { PYTHONUNBUFFERED: '1', ...env },
      logFile,
      // Python: SIGINT is KeyboardInterrupt, after which ComfyUI removes its temp files.
      stop: { signals: ['SIGINT', 'SIGTERM'] },
    })
    this.#process = process
    void process.closed.then((closed) => this.#gone(closed))
    return process
  }

  #gone(closed: ProcessClosed): void {
    this.#process = undefined
    // Whoever waits for its start sees its end too.
    if (this.#status.state === 'starting') return
    this.#ready = undefined
    if (this.#status.state !== 'ready') return
    const asked = closed.outcome === 'terminated'
    const problem: Problem = { code: 'backend_ended', message: `${this.name} ended by itself ${howItEnded(closed)}` }
    this.#turn({ state: asked ? 'stopped' : 'failed', problem: asked ? null : problem, capabilities: null })
  }

  /** What takes no interrupt does nothing else either until it is started anew. */
  async #endHung(result: Extract<GenerateResult, { outcome: 'unavailable' }>): Promise<GenerateResult> {
    await this.#process?.terminate(this.#stopping.signal)
    if (this.#stopping.signal.aborted) return { outcome: 'interrupted' }
    const { code, message } = result.problem
    const problem = { code, message: `${this.name}: ${message} It was ended and is started again.` }
    this.#turn({ state: 'failed', problem, capabilities: null })
    return { ...result, problem }
  }

  #givenUp(): AppError {
    const last = this.#status.problem?.message ?? ''
    const why = `${this.name} was started ${mostStarts} times in a row without making an image, so it is not started again by itself.`
    const advice = 'Press Try again, or correct its command in Settings.'
    // Told before: the reason does not change any more.
    return new AppError('backend_start_failed', last.startsWith(why) ? last : `${why} ${advice} ${last}`)
  }

  #turn(change: Omit<BackendStatus, 'id' | 'kind' | 'name'>): void {
    const next = { ...this.#status, ...change }
    if (JSON.stringify(next) === JSON.stringify(this.#status)) return
    this.#status = next
    this.#options.onStatus(next)
  }
}

function problemOf(thrown: unknown): Problem {
  const error = asError(thrown)
  if (!(error instanceof AppError)) return { code: 'backend_start_failed', message: error.message }
  const { code, message, data } = error
  if (code !== 'spawn_failed') return { code, message }
  // Not its own sentence: who reads it has been told that the backend did not start.
  return { code: 'backend_start_failed', message: `${data.why ?? message}. Correct its command and folder in Settings.` }
}
