import type { BackendSettings } from '../contract/settings.ts'
import type { BackendStatus } from '../contract/status.ts'
import type { ComponentExit, StopReason } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { ContainedProcess } from '../processes/spawn-contained.ts'
import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from './backend.ts'
import type { KnownModels } from './known-models.ts'

export type MakeBackend = (settings: BackendSettings) => Backend

/** One backend of the settings. A change takes hold between two images: the one that is being made is finished. */
export class BackendSwitch implements Backend {
  readonly #make: MakeBackend
  readonly #closed = deferred<ComponentExit>()
  #current: Backend
  #wanted: BackendSettings | undefined
  #changed: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined

  constructor(settings: BackendSettings, make: MakeBackend) {
    this.#make = make
    this.#current = make(settings)
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get name(): string {
    return this.#current.name
  }

  get status(): BackendStatus {
    return this.#current.status
  }

  get process(): ContainedProcess | null {
    return this.#current.process
  }

  get known(): KnownModels | null {
    return this.#current.known
  }

  async reach(signal: AbortSignal): Promise<boolean> {
    await this.apply()
    return await this.#current.reach(signal)
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#current.start(signal)
  }

  use(settings: BackendSettings): void {
    this.#wanted = settings
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    await this.apply()
    return await this.#current.generate(request, onProgress, signal)
  }

  /** Changes over now, one change after another. Only for when no image is being made: a start is given up. */
  apply(): Promise<void> {
    this.#changed = this.#changed.catch(() => {}).then(() => this.#change())
    return this.#changed
  }

  async #change(): Promise<void> {
    if (this.#wanted === undefined) return
    const next = this.#make(this.#wanted)
    this.#wanted = undefined
    const signal = new AbortController().signal
    await this.#current.stop({ trigger: 'replaced', detail: 'another backend was chosen' }, signal)
    this.#current = next
    await next.start(signal)
  }

  async recycle(force: AbortSignal): Promise<void> {
    await this.#current.recycle(force)
  }

  async freeMemory(signal: AbortSignal): Promise<boolean> {
    return await this.#current.freeMemory(signal)
  }

  tryAgain(): void {
    this.#current.tryAgain()
  }

  stop(reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#current.stop(reason, force).then(() => this.#closed.resolve({ name: this.name }))
    return this.#stopped
  }
}
