import { setTimeout as delay } from 'node:timers/promises'
import type { Leak, Recycled, Sample, Diagnostics as View } from '../contract/diagnostics.ts'
import type { Component, ComponentExit, StopReason } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { ThreadRegistry } from '../lifecycle/thread-registry.ts'
import type { Logger } from '../logging/logger.ts'
import { readOwnRow, readProcessTable } from '../processes/process-table.ts'
import type { Containment } from '../processes/spawn-contained.ts'
import { AppSampler } from './app-sampler.ts'
import { GpuWatch } from './gpu-watch.ts'
import { isHeld } from './is-held.ts'
import { LeakWatch } from './leak-watch.ts'
import { backendSamples, processRows } from './process-rows.ts'
import { RingBuffer } from './ring-buffer.ts'

export const sampleEveryMs = 2000
const shownRecycled = 5
/** Half an hour. */
const keptSamples = 900

export interface DiagnosticsOptions {
  readonly containment: Pick<Containment, 'processes' | 'spawnContained'>
  readonly threads: ThreadRegistry
  readonly keptAwake: () => View['keptAwake']
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  /** For people. */
  /** @param id of a backend's process; empty for the app */
  readonly nameOf: (id: string) => string
  /** Told once of each leak. */
  readonly onLeak: (leak: Leak) => void
}

/** Samples memory of app and backends every two seconds, and says when it leaks. */
export class Diagnostics implements Component {
  readonly name = 'diagnostics'
  readonly #options: DiagnosticsOptions
  readonly #closed = deferred<ComponentExit>()
  readonly #stopping = new AbortController()
  readonly #app = new AppSampler()
  readonly #samples = new RingBuffer<Sample>(keptSamples)
  readonly #gpu: GpuWatch
  readonly #leaks: LeakWatch
  readonly #recycled: Recycled[] = []
  readonly #checks = new Set<Promise<boolean>>()
  #loop: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #taken = 0
  #tookMs = 0

  constructor(options: DiagnosticsOptions) {
    this.#options = options
    this.#gpu = new GpuWatch({ ...options, everyMs: sampleEveryMs })
    const check: ConstructorParameters<typeof LeakWatch>[1] = (growth) => {
      const held = isHeld(growth, this.#stopping.signal)
      this.#checks.add(held)
      return held.finally(() => this.#checks.delete(held))
    }
    this.#leaks = new LeakWatch(options.nameOf, check, options.onLeak)
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#app.start()
    this.#loop = this.#options.threads.startLoop('diagnostics', 'samples memory every two seconds', (signal) =>
      this.#run(AbortSignal.any([signal, this.#stopping.signal])),
    )
  }

  stop(_reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(force)
    return this.#stopped
  }

  async #stop(force: AbortSignal): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await Promise.all(this.#checks)
    await this.#gpu.stop(force)
    this.#app.stop()
    this.#closed.resolve({ name: this.name })
  }

  /** For the page. */
  noteRecycled(recycled: Recycled): void {
    this.#recycled.unshift(recycled)
    this.#recycled.splice(shownRecycled)
  }

  /** What the page shows. @param sinceMs of the last sample that is known there */
  view(sinceMs: number): View {
    const { containment, threads } = this.#options
    const handles: Record<string, number> = {}
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
    return {
      everyMs: sampleEveryMs,
      sampleMs: this.#taken === 0 ? 0 : this.#tookMs / this.#taken,
      samples: this.#samples.all().filter(({ atMs }) => atMs > sinceMs),
      leaks: this.#leaks.leaks,
      recycled: [...this.#recycled],
      processes: processRows(readOwnRow(), containment.processes, readProcessTable()),
      threads: threads.list(),
      handles,
      keptAwake: this.#options.keptAwake(),
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#sample()
      await delay(sampleEveryMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  #sample(): void {
    const began = process.threadCpuUsage()
    const backends = this.#options.containment.processes.filter(({ role }) => role === 'backend')
    if (backends.length > 0) this.#gpu.start()
    else void this.#gpu.stop()
    const sample: Sample = {
      atMs: Date.now(),
      app: this.#app.take(),
      // Reading the process table is what costs: not done for nothing.
      backends: backends.length === 0 ? [] : backendSamples(backends, readProcessTable(), (pid) => this.#gpu.vramBytesOf(pid)),
    }
    this.#samples.push(sample)
    this.#leaks.take(sample)
    this.#taken++
    const { user, system } = process.threadCpuUsage(began)
    this.#tookMs += (user + system) / 1000
  }
}
