import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { AppError } from '../../errors/app-error.ts'
import type { GenerateProgress } from '../backend.ts'
import type { BackendDeadlines } from '../backend-deadlines.ts'
import type { ServerHttp } from '../server-http.ts'
import { progressAnswerSchema, taskProgressAnswerSchema } from './sdapi-answers.ts'

const everyMs = 250
/** Where nothing is told but that time passes. */
const blindEveryMs = 1000

export interface ProgressSources {
  /** Only of our task: UI mode of A1, paired with `force_task_id`. */
  readonly task: boolean
  /** Of whatever the server is doing. */
  readonly global: boolean
}

export interface SdapiProgressOptions {
  readonly http: ServerHttp
  readonly taskId: string
  readonly steps: number
  readonly sources: ProgressSources
  readonly deadlines: BackendDeadlines
  readonly onProgress: (progress: GenerateProgress) => void
}

/** Follows one image of a server with `/sdapi/v1`, by the best that it has. Never goes back, and fails silently. */
export class SdapiProgress {
  readonly #options: SdapiProgressOptions
  readonly #beganMs = performance.now()
  #changedMs = performance.now()
  #told = false
  #lastSign = ''
  #lastFraction = 0
  #lastPreview = ''
  #previewId = -1
  /** Whether the server was at an image when it was last asked: ours, or one of others where it does not say whose. */
  #busy = false

  constructor(options: SdapiProgressOptions) {
    this.#options = options
  }

  /** Whether the server has told of a step of an image. */
  get begun(): boolean {
    return this.#lastFraction > 0
  }

  /** Follows until `ended`. @returns the sentence that says so where the server is stuck, else null. */
  async follow(ended: AbortSignal): Promise<string | null> {
    const { sources, deadlines, onProgress, steps } = this.#options
    const blind = !sources.task && !sources.global
    for (let tick = 0; ; tick++) {
      await delay(blind ? blindEveryMs : everyMs, undefined, { signal: ended }).catch(() => {})
      if (ended.aborted) return null
      // A preview is a whole picture in base64: every other time is enough.
      if (blind) onProgress({ step: 0, steps, fraction: 0, remainingMs: null, preview: null })
      else await this.#ask(tick % 2 === 1, ended).catch(() => {})
      const now = performance.now()
      if (this.#told && now - this.#changedMs > deadlines.stallMs)
        return `The server showed no sign of progress for ${deadlines.stallMs / 1000} s.`
      if (!this.#told && now - this.#beganMs > deadlines.imageMs)
        return `The server did not answer within ${deadlines.imageMs / 1000} s, and tells no progress.`
    }
  }

  /**
   * For an image that was given up, and that the server may still be at: waits as long as it stands where it stood.
   * @returns the sentence that says so where it has done so for too long, else null.
   */
  async letGo(signal: AbortSignal): Promise<string | null> {
    const { sources, deadlines } = this.#options
    if (!sources.task && !sources.global) return null
    const stood = this.#lastSign
    for (;;) {
      try {
        await this.#ask(true, signal)
        if (!this.#busy || this.#lastSign !== stood) return null
      } catch (error) {
        // What does not answer within the deadline is not gone.
        if (signal.aborted || !(error instanceof AppError && error.code === 'timeout')) return null
      }
      if (performance.now() - this.#changedMs > deadlines.stallMs)
        return 'The server still hangs at an image that it was given before.'
      await delay(blindEveryMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return null
    }
  }

  async #ask(skipPreview: boolean, ended: AbortSignal): Promise<void> {
    const { http, sources, taskId, steps } = this.#options
    if (sources.task) {
      const body = { id_task: taskId, id_live_preview: this.#previewId, live_preview: !skipPreview }
      const answer = taskProgressAnswerSchema.parse(await http.post('/internal/progress', body, ended))
      const { progress, eta, live_preview, id_live_preview, queued, active } = answer
      this.#busy = active
      if (queued) this.#sign(JSON.stringify([queued, performance.now()]))
      if (active && progress != null) {
        this.#previewId = id_live_preview ?? this.#previewId
        return this.#report({ fraction: progress, step: null, steps, etaSeconds: eta ?? 0, preview: live_preview ?? null })
      }
      // Older servers know no `force_task_id`, so they know no task of ours.
      if (active || queued || answer.completed || !sources.global) return
    }
    const path = `/sdapi/v1/progress?skip_current_image=${skipPreview}`
    const answer: z.infer<typeof progressAnswerSchema> = progressAnswerSchema.parse(await http.get(path, ended))
    this.#busy = answer.progress > 0
    this.#report({
      fraction: answer.progress,
      step: answer.state?.sampling_step ?? null,
      steps: answer.state?.sampling_steps || steps,
      etaSeconds: answer.eta_relative ?? 0,
      preview: answer.current_image ?? null,
    })
  }

  #report(told: { fraction: number; step: number | null; steps: number; etaSeconds: number; preview: string | null }): void {
    // Not whether there is a preview: it is asked for every other time.
    if (told.preview && told.preview !== this.#lastPreview) this.#changedMs = performance.now()
    this.#sign(JSON.stringify([told.fraction, told.step]))
    // Between the last step and the answer a server reports its idle state: not a step back.
    if (told.fraction < this.#lastFraction) return
    this.#lastFraction = told.fraction
    const fraction = Math.min(1, Math.max(0, told.fraction))
    const fresh = told.preview && told.preview !== this.#lastPreview ? told.preview : null
    if (fresh) this.#lastPreview = fresh
    this.#options.onProgress({
      step: told.step ?? Math.round(fraction * told.steps),
      steps: told.steps,
      fraction,
      remainingMs: told.etaSeconds > 0 ? Math.round(told.etaSeconds * 1000) : null,
      preview: fresh === null ? null : Buffer.from(withoutDataUri(fresh), 'base64'),
    })
  }

  #sign(sign: string): void {
    this.#told = true
    if (sign !== this.#lastSign) this.#changedMs = performance.now()
    this.#lastSign = sign
  }
}

export const withoutDataUri = (image: string): string => image.replace(/^data:[^,]*,/, '')
