import { setMaxListeners } from 'node:events'
import type { BackendModels } from '../contract/backend-models.ts'
import type { BackendSettings } from '../contract/settings.ts'
import type { BackendStatus } from '../contract/status.ts'
import type { Component, ComponentExit, StopReason } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Backend } from './backend.ts'
import { BackendSwitch, type MakeBackend } from './backend-switch.ts'

/** What a change of the settings means for the backends. */
export interface PoolChange {
  readonly added: readonly BackendSwitch[]
  readonly changed: readonly BackendSwitch[]
  /** They are gone from the list; whoever uses them stops, then calls `drop`. */
  readonly removed: readonly BackendSwitch[]
}

interface Entry {
  readonly settings: BackendSettings
  readonly backend: BackendSwitch
}

/** The backends that the settings name and have switched on. */
export class BackendPool implements Component {
  readonly name = 'backends'
  readonly #make: MakeBackend
  readonly #closed = deferred<ComponentExit>()
  /** In the order of the settings. */
  #entries: Entry[] = []
  /** On their way out. */
  readonly #leaving = new Set<Backend>()

  constructor(settings: readonly BackendSettings[], make: MakeBackend) {
    this.#make = make
    this.change(settings)
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get all(): readonly BackendSwitch[] {
    return this.#entries.map(({ backend }) => backend)
  }

  get statuses(): readonly BackendStatus[] {
    return this.all.map(({ status }) => status)
  }

  /** What all of them list, each name once, in the order of the settings. */
  get models(): BackendModels {
    const all = this.all.flatMap(({ known }) => known?.models ?? [])
    const list = (kind: keyof BackendModels) => [...new Set(all.flatMap((one) => one[kind]))]
    return {
      checkpoints: list('checkpoints'),
      vaes: list('vaes'),
      samplers: list('samplers'),
      schedulers: list('schedulers'),
      upscalers: list('upscalers'),
      loras: list('loras'),
      embeddings: list('embeddings'),
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    setMaxListeners(0, signal)
    await Promise.all(this.all.map((backend) => backend.start(signal)))
  }

  /** Takes over the settings. Added ones are not started yet, changed ones change over at `apply` or their next image. */
  change(wanted: readonly BackendSettings[]): PoolChange {
    const before = new Map(this.#entries.map((entry) => [entry.settings.id, entry]))
    const added: BackendSwitch[] = []
    const changed: BackendSwitch[] = []
    const entries = wanted
      .filter(({ enabled }) => enabled)
      .map((settings): Entry => {
        const known = before.get(settings.id)
        before.delete(settings.id)
        if (known === undefined) {
          const backend = new BackendSwitch(settings, this.#make)
          added.push(backend)
          return { settings, backend }
        }
        if (JSON.stringify(known.settings) === JSON.stringify(settings)) return known
        known.backend.use(settings)
        changed.push(known.backend)
        return { settings, backend: known.backend }
      })
    const removed = [...before.values()].map(({ backend }) => backend)
    for (const backend of removed) this.#leaving.add(backend)
    this.#entries = entries
    return { added, changed, removed }
  }

  /** Stops one that was removed. */
  async drop(backend: Backend): Promise<void> {
    await backend.stop({ trigger: 'replaced', detail: 'the backend was removed' }, new AbortController().signal)
    this.#leaving.delete(backend)
  }

  /** The user asks for images: what failed too often is tried again. */
  tryAgain(): void {
    for (const backend of this.all) backend.tryAgain()
  }

  async stop(reason: StopReason, force: AbortSignal): Promise<void> {
    await Promise.all([...this.all, ...this.#leaving].map((backend) => backend.stop(reason, force)))
    this.#closed.resolve({ name: this.name })
  }
}
