import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from '../../../src-sidecar/backends/backend.ts'
import type { KnownModels } from '../../../src-sidecar/backends/known-models.ts'
import type { BackendStatus } from '../../../src-sidecar/contract/status.ts'
import type { ComponentExit } from '../../../src-sidecar/lifecycle/component.ts'
import { deferred } from '../../../src-sidecar/lifecycle/deferred.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { made } from './queue-fixture.ts'

export interface Request {
  readonly request: GenerateRequest
  readonly signal: AbortSignal
  progress(progress: Partial<GenerateProgress>): void
  /** Ends the request; without a result with an image. */
  answer(result?: GenerateResult): Promise<void>
}

/** A backend in a test's hands: a request stays open until the test answers it, or its signal interrupts it. */
export class ScriptedBackend implements Backend {
  readonly name: string
  status: BackendStatus
  readonly process = null
  known: KnownModels | null = null
  isThere = true
  readonly requests: Request[] = []
  /** Answers every request by itself. */
  automatic = false
  readonly #closed = deferred<ComponentExit>()

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  constructor(id = 'scripted') {
    this.name = id
    this.status = { id, kind: 'sdapi', name: id, state: 'ready', problem: null, capabilities: null }
  }

  async start(): Promise<void> {}

  async recycle(): Promise<void> {}

  async freeMemory(): Promise<boolean> {
    return false
  }

  tryAgain(): void {}

  async reach(): Promise<boolean> {
    return this.isThere
  }

  async stop(): Promise<void> {
    this.#closed.resolve({ name: this.name })
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    const result = Promise.withResolvers<GenerateResult>()
    const interrupt = () => result.resolve({ outcome: 'interrupted' })
    signal.addEventListener('abort', interrupt)
    if (signal.aborted) interrupt()
    const one: Request = {
      request,
      signal,
      progress: (progress) => onProgress({ step: 1, steps: 20, fraction: 0.05, remainingMs: null, preview: null, ...progress }),
      answer: async (given) => result.resolve(given ?? { outcome: 'done', image: () => made(request.seed) }),
    }
    this.requests.push(one)
    if (this.automatic) await one.answer()
    return await result.promise
  }

  /** The request with this number, from 0, once it is there. */
  request(number: number): Promise<Request> {
    return waitFor(() => this.requests[number], `request ${number}`)
  }
}
