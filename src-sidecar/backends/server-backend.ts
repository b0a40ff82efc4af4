import type { ComfyuiSettings, SdapiSettings } from '../contract/settings.ts'
import type { BackendStatus } from '../contract/status.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { whenAborted } from '../lifecycle/when-aborted.ts'
import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from './backend.ts'
import { IdleWatch } from './idle-watch.ts'
import { type KnownModels, knownModels } from './known-models.ts'
import type { ServerClient } from './server-client.ts'

/** How often a server that has nothing to do is asked whether it is there. */
export const lookEveryMs = 15_000

/** A server that the user runs. It is never started or stopped from here. */
export class ServerBackend implements Backend {
  readonly name: string
  readonly process = null
  readonly #client: ServerClient
  readonly #onStatus: (status: BackendStatus) => void
  readonly #stopping = new AbortController()
  readonly #closed = deferred<ComponentExit>()
  #status: BackendStatus
  #making: Promise<GenerateResult> | undefined
  #probing: Promise<void> | undefined
  readonly #idle: IdleWatch
  #known: KnownModels | null = null

  /** @param what it is, for people: "WebUI". */
  constructor(
    { id, name, kind, url }: Pick<SdapiSettings | ComfyuiSettings, 'id' | 'name' | 'kind' | 'url'>,
    what: string,
    client: ServerClient,
    onStatus: (status: BackendStatus) => void,
    everyMs = lookEveryMs,
  ) {
    this.name = name || `${what} at ${new URL(url).host}`
    this.#client = client
    this.#onStatus = onStatus
    this.#status = { id, kind, name: this.name, state: 'stopped', problem: null, capabilities: null }
    this.#idle = new IdleWatch({ everyMs, isBusy: () => this.#making !== undefined, look: (signal) => this.#look(signal) })
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get status(): BackendStatus {
    return this.#status
  }

  get known(): KnownModels | null {
    return this.#known
  }

  async start(): Promise<void> {
    // Not awaited: the app starts whether or not somebody's server is up.
    this.#probing = this.#probe()
    this.#idle.start()
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    // What the server can is asked once per start of it: now, where it was not there before.
    if (this.#status.state === 'failed') this.#probing = this.#probe()
    const interrupted = AbortSignal.any([signal, this.#stopping.signal])
    await Promise.race([this.#probing, whenAborted(interrupted)])
    if (interrupted.aborted) return { outcome: 'interrupted' }
    // What has no word for a small question, or hangs, would keep an image for ever.
    const { state, problem } = this.#status
    if (state === 'failed' && (problem?.code === 'timeout' || problem?.code === 'backend_hung'))
      return { outcome: 'unavailable', problem, crashed: false }
    this.#making = this.#client.generate(request, onProgress, interrupted)
    const result = await this.#made(this.#making).finally(() => {
      this.#making = undefined
    })
    if (result.outcome === 'unavailable') this.#turn({ state: 'failed', problem: result.problem, capabilities: null })
    else if (result.outcome !== 'interrupted') this.#turn({ state: 'ready', problem: null })
    return result
  }

  async reach(signal: AbortSignal): Promise<boolean> {
    if (this.#status.state === 'failed') this.#probing = this.#probe()
    await Promise.race([this.#probing, whenAborted(signal)])
    return this.#status.state !== 'failed'
  }

  async #made(making: Promise<GenerateResult>): Promise<GenerateResult> {
    const result = await making
    if (result.outcome !== 'unavailable' || result.problem.code !== 'backend_hung') return result
    const { code, message } = result.problem
    return { ...result, problem: { code, message: restartIt(message) } }
  }

  /** It is not ours. */
  async recycle(): Promise<void> {}

  async freeMemory(signal: AbortSignal): Promise<boolean> {
    return await this.#client.freeMemory(AbortSignal.any([signal, this.#stopping.signal]))
  }

  tryAgain(): void {}

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#idle.stop()
    // The server goes on by itself unless the interrupt has reached it.
    await this.#making
    await this.#probing
    await this.#client.close()
    this.#closed.resolve({ name: this.name })
  }

  /** One that came back is asked anew what it can: it may be another. */
  async #look(signal: AbortSignal): Promise<void> {
    if (this.#status.state === 'failed') {
      this.#probing = this.#probe()
      await this.#probing
      return
    }
    await this.#client.check(signal).catch((error) => {
      if (!signal.aborted && this.#making === undefined) this.#failed(error)
    })
  }

  #failed(error: unknown): void {
    const code = error instanceof AppError ? error.code : 'backend_unreachable'
    this.#turn({ state: 'failed', problem: { code, message: asError(error).message }, capabilities: null })
  }

  async #probe(): Promise<void> {
    try {
      const capabilities = [...(await this.#client.probe(this.#stopping.signal))]
      const hangs = await this.#client.hangs(this.#stopping.signal)
      if (hangs !== null) throw new AppError('backend_hung', restartIt(hangs))
      this.#known = knownModels(await this.#client.models(this.#stopping.signal))
      this.#turn({ state: 'ready', problem: null, capabilities })
    } catch (error) {
      this.#failed(error)
    }
  }

  #turn(change: Partial<BackendStatus>): void {
    const next = { ...this.#status, ...change }
    if (this.#stopping.signal.aborted || JSON.stringify(next) === JSON.stringify(this.#status)) return
    this.#status = next
    this.#onStatus(next)
  }
}

const restartIt = (message: string): string => `${message} Restart it: StableNew did not start it, and can't end it.`
