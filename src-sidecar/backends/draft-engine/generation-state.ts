/** A picture in the making, as the live preview shows it. */
export interface LivePreview {
  /** Grows with every step: an unchanged id is an unchanged picture. */
  readonly id: number
  /** The PNG, made when it is first asked for. */
  png(): Promise<Buffer>
}

/**
 * A1's `shared.state` (modules/shared_state.py), global to the process. Only the holder of the generation lock changes it, but for
 * `interrupt` and `skip`, which anyone sets at any time and the next `begin` clears: sent to a job that waits, they are lost.
 */
export class GenerationState {
  skipped = false
  interrupted = false
  job = ''
  jobCount = 0
  jobNumber = 0
  jobTimestamp = '0'
  samplingStep = 0
  samplingSteps = 0
  preview: LivePreview | null = null
  #startedAt = 0

  begin(job: string): void {
    this.skipped = false
    this.interrupted = false
    this.job = job
    // -1: begun, the number of jobs is not known yet.
    this.jobCount = -1
    this.jobNumber = 0
    this.samplingStep = 0
    this.samplingSteps = 0
    this.preview = null
    this.#startedAt = performance.now()
    this.jobTimestamp = timestamp(new Date())
  }

  nextJob(): void {
    this.jobNumber++
    this.samplingStep = 0
  }

  end(): void {
    this.job = ''
    this.jobCount = 0
    this.preview = null
  }

  /** Seconds since `begin`. */
  get elapsedS(): number {
    return (performance.now() - this.#startedAt) / 1000
  }

  /** 0 to 1 over all iterations, without the floor of 0.01 that `/sdapi/v1/progress` adds. */
  get progress(): number {
    if (this.jobCount <= 0) return 0
    const within = this.samplingSteps > 0 ? this.samplingStep / this.samplingSteps : 0
    return Math.min(1, (this.jobNumber + within) / this.jobCount)
  }

  /** `state` of `/sdapi/v1/progress`, as `State.dict()`. */
  toJSON(): Record<string, unknown> {
    return {
      skipped: this.skipped,
      interrupted: this.interrupted,
      stopping_generation: false,
      job: this.job,
      job_count: this.jobCount,
      job_timestamp: this.jobTimestamp,
      job_no: this.jobNumber,
      sampling_step: this.samplingStep,
      sampling_steps: this.samplingSteps,
    }
  }
}

function timestamp(date: Date): string {
  return date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '')
}
