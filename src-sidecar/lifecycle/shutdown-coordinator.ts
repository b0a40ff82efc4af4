import { AppError, asError } from '../errors/app-error.ts'
import type { StopReason } from './component.ts'
import { withDeadline } from './deadline.ts'

/** The phases of DESIGN.md, in order; steps of one phase run side by side. */
export const phases = ['intake', 'jobs', 'components', 'processes', 'threads', 'shell', 'verify'] as const
export type Phase = (typeof phases)[number]

export interface ShutdownStep {
  readonly phase: Phase
  readonly name: string
  readonly deadlineMs: number
  run(reason: StopReason, force: AbortSignal): Promise<void>
}

export type RunningStep = Pick<ShutdownStep, 'phase' | 'name'>

export interface StepReport {
  readonly phase: Phase
  readonly name: string
  readonly ms: number
  /** What went wrong; the rest went on. */
  readonly error: string | null
}

export interface ShutdownReport {
  readonly reason: StopReason
  /** Whether grace was cut short. */
  readonly forced: boolean
  readonly ms: number
  readonly steps: readonly StepReport[]
  /** Every step did what it should. */
  readonly clean: boolean
}

/** A second request that comes sooner belongs to the first: one shell death is EOF, lost socket and dead parent at once. */
const mergeMs = 1000

/**
 * The one way to the end. States: open → closing → closed; changed only here.
 * The first request wins; a signal or *stop now* that comes 1 s or more later cuts grace, never verification.
 */
export class ShutdownCoordinator {
  readonly #steps: ShutdownStep[] = []
  readonly #force = new AbortController()
  readonly #onProgress: (reason: StopReason, step: string) => void
  readonly #onRunning: (steps: readonly RunningStep[]) => void
  readonly #onPhase: (phase: Phase, at: 'begins' | 'ends') => void
  readonly #running = new Set<RunningStep>()
  #requestedAt = 0
  #report: Promise<ShutdownReport> | undefined

  /**
   * @param onProgress is told which step is begun.
   * @param onRunning is told which steps run, at each change.
   * @param onPhase must not throw.
   */
  constructor(
    onProgress: (reason: StopReason, step: string) => void,
    onRunning: (steps: readonly RunningStep[]) => void = () => {},
    onPhase: (phase: Phase, at: 'begins' | 'ends') => void = () => {},
  ) {
    this.#onProgress = onProgress
    this.#onRunning = onRunning
    this.#onPhase = onPhase
  }

  get closing(): boolean {
    return this.#report !== undefined
  }

  register(step: ShutdownStep): void {
    this.#steps.push(step)
  }

  /** Any number of calls from anywhere share the first one's report. Never rejects. */
  request(reason: StopReason, now = false): Promise<ShutdownReport> {
    if (this.#report === undefined) {
      this.#requestedAt = performance.now()
      if (now) this.#force.abort()
      this.#report = this.#run(reason)
    } else if ((now || reason.trigger.startsWith('SIG')) && performance.now() - this.#requestedAt >= mergeMs) {
      this.#force.abort()
    }
    return this.#report
  }

  async #run(reason: StopReason): Promise<ShutdownReport> {
    const began = performance.now()
    const steps: StepReport[] = []
    for (const phase of phases) {
      this.#onPhase(phase, 'begins')
      const due = this.#steps.filter((step) => step.phase === phase)
      steps.push(...(await Promise.all(due.map((step) => this.#runStep(step, reason)))))
      this.#onPhase(phase, 'ends')
    }
    const clean = steps.every(({ error }) => error === null)
    return { reason, forced: this.#force.signal.aborted, ms: Math.round(performance.now() - began), steps, clean }
  }

  async #runStep(step: ShutdownStep, reason: StopReason): Promise<StepReport> {
    const began = performance.now()
    const done = (error: string | null): StepReport => ({
      phase: step.phase,
      name: step.name,
      ms: Math.round(performance.now() - began),
      error,
    })
    const running = { phase: step.phase, name: step.name }
    this.#running.add(running)
    try {
      this.#onProgress(reason, step.name)
      this.#onRunning([...this.#running])
    } catch {
      // Whoever watches must not hold up the end.
    }
    try {
      await withDeadline(step.name, step.deadlineMs, step.run(reason, this.#force.signal))
      return done(null)
    } catch (thrown) {
      const error = asError(thrown)
      return done(error instanceof AppError ? error.message : (error.stack ?? error.message))
    } finally {
      this.#running.delete(running)
      this.#onRunning([...this.#running])
    }
  }
}
