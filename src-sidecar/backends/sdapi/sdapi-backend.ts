import type { BackendStatus } from '../../contract/status.ts'
import { asError } from '../../errors/app-error.ts'
import type { ComponentExit } from '../../lifecycle/component.ts'
import { deferred } from '../../lifecycle/deferred.ts'
import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from '../backend.ts'
import { SdapiClient } from './sdapi-client.ts'
import type { SdapiAddress } from './sdapi-http.ts'

/** A server that the user runs. It is never started or stopped from here. */
export class SdapiBackend implements Backend {
  readonly name: string
  readonly #client: SdapiClient
  readonly #onStatus: (status: BackendStatus) => void
  readonly #stopping = new AbortController()
  readonly #closed = deferred<ComponentExit>()
  #status: BackendStatus
  #making: Promise<GenerateResult> | undefined

  constructor(address: SdapiAddress, onStatus: (status: BackendStatus) => void) {
    this.name = `WebUI at ${new URL(address.url).host}`
    this.#client = new SdapiClient(address)
    this.#onStatus = onStatus
    this.#status = { kind: 'sdapi', name: this.name, state: 'stopped', problem: null }
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get status(): BackendStatus {
    return this.#status
  }

  async start(): Promise<void> {
    // Not awaited: the app starts whether or not somebody's server is up.
    void this.#client.check(this.#stopping.signal).then(
      () => this.#turn({ state: 'ready', problem: null }),
      (error) => this.#turn({ state: 'failed', problem: { code: 'backend_unreachable', message: asError(error).message } }),
    )
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    this.#making = this.#client.generate(request, onProgress, AbortSignal.any([signal, this.#stopping.signal]))
    const result = await this.#making
    if (result.outcome === 'unavailable') this.#turn({ state: 'failed', problem: result.problem })
    else if (result.outcome !== 'interrupted') this.#turn({ state: 'ready', problem: null })
    return result
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    // The server goes on by itself unless the interrupt has reached it.
    await this.#making
    await this.#client.close()
    this.#closed.resolve({ name: this.name })
  }

  #turn(change: Pick<BackendStatus, 'state' | 'problem'>): void {
    if (
      this.#stopping.signal.aborted ||
      (this.#status.state === change.state && this.#status.problem?.message === change.problem?.message)
    )
      return
    this.#status = { ...this.#status, ...change }
    this.#onStatus(this.#status)
  }
}
