import type { LastShutdown } from '../contract/last-shutdown.ts'
import type { Closing } from '../contract/status.ts'
import { asError } from '../errors/app-error.ts'
import type { StopReason } from './component.ts'
import { type Phase, type RunningStep, ShutdownCoordinator, type ShutdownReport } from './shutdown-coordinator.ts'
import type { ShutdownRecord } from './shutdown-record.ts'

export interface AppEndOptions {
  readonly runId: string
  readonly appVersion: string
  readonly record: ShutdownRecord
  /** Told at every step. */
  readonly onClosing: (closing: Closing) => void
  /** Told once, at the first request. */
  readonly onBegin?: (reason: StopReason) => void
  /** Told at each change which steps run. */
  readonly onRunning?: (steps: readonly RunningStep[]) => void
  /** Told of each phase, as it begins and when it has ended; must not throw. */
  readonly onPhase?: (phase: Phase, at: 'begins' | 'ends') => void
}

/**
 * The end of the app: the coordinator's sequence, then what must come last (`finallyDo`, in reverse order), then the
 * report. States: open → closing → closed.
 */
export class AppEnd {
  readonly coordinator: ShutdownCoordinator
  readonly #options: AppEndOptions
  readonly #last: { name: string; work: () => void | Promise<void> }[] = []
  readonly #remarks: string[] = []
  readonly #left: string[] = []
  readonly #closed = Promise.withResolvers<LastShutdown>()
  #closing: Closing | null = null
  #finished = false
  #crashed = false

  constructor(options: AppEndOptions) {
    this.#options = options
    this.coordinator = new ShutdownCoordinator(
      (reason, step) => {
        this.#closing = { trigger: reason.trigger, step, sinceMs: this.#closing?.sinceMs ?? Date.now() }
        options.record.note(step)
        options.onClosing(this.#closing)
      },
      options.onRunning,
      options.onPhase,
    )
  }

  /** Null as long as nobody asked for the end. */
  get closing(): Closing | null {
    return this.#closing
  }

  get closed(): Promise<LastShutdown> {
    return this.#closed.promise
  }

  /** Worth knowing, but not unclean: a backend that had to be killed. */
  remark(text: string): void {
    this.#remarks.push(text)
  }

  /** Something that should be gone and is not: the end is unclean. */
  leave(text: string): void {
    this.#left.push(text)
  }

  /** Work for after the sequence; the last registered comes first. A failure is recorded and the rest goes on. */
  finallyDo(name: string, work: () => void | Promise<void>): void {
    this.#last.unshift({ name, work })
  }

  /** Any number of calls; all share one end. Never rejects. */
  async request(reason: StopReason, now = false): Promise<LastShutdown> {
    const first = !this.coordinator.closing
    if (reason.trigger === 'uncaught-error') {
      this.#crashed = true
      if (!first) this.remark(`uncaught error while closing: ${reason.detail}`)
    }
    if (first) {
      this.#options.onBegin?.(reason)
      this.#options.record.note(`closing: ${reason.trigger}${reason.detail ? ` (${reason.detail})` : ''}`)
    }
    const report = await this.coordinator.request(reason, now)
    if (first) await this.#finish(report)
    return await this.#closed.promise
  }

  /** For the `exit` event: the process ends without having come here, by somebody's `process.exit`. Synchronous. */
  exitedPast(exitCode: number): void {
    if (this.#finished) return
    const detail = 'the process was ended past the shutdown'
    this.#finished = true
    this.#options.record.note(detail)
    this.#options.record.write(this.#describe({ trigger: 'uncaught-error', detail }, 0, false, [], 'unclean', exitCode))
  }

  async #finish(report: ShutdownReport): Promise<void> {
    const steps = [...report.steps]
    for (const { name, work } of this.#last) {
      this.#options.onRunning?.([{ phase: 'verify', name }])
      try {
        await work()
      } catch (thrown) {
        steps.push({ phase: 'verify', name, ms: 0, error: asError(thrown).message })
      }
    }
    const clean = this.#left.length === 0 && steps.every(({ error }) => error === null)
    const verdict = clean && !this.#crashed ? 'clean' : 'unclean'
    const exitCode = this.#crashed ? 70 : clean ? 0 : 1
    const last = this.#describe(report.reason, report.ms, report.forced, steps, verdict, exitCode)
    this.#finished = true
    this.#options.record.write(last)
    this.#closed.resolve(last)
  }

  #describe(
    { trigger, detail }: StopReason,
    ms: number,
    graceCut: boolean,
    steps: LastShutdown['steps'],
    verdict: LastShutdown['verdict'],
    exitCode: number,
  ): LastShutdown {
    const { runId, appVersion } = this.#options
    const about = { version: 1, runId, appVersion, trigger, detail: detail ?? null, endedAtMs: Date.now() } as const
    return { ...about, ms, graceCut, steps, remarks: this.#remarks, left: this.#left, verdict, exitCode }
  }
}
