import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { Problem } from '../../contract/job.ts'
import { AppError, asError } from '../../errors/app-error.ts'
import { whenAborted } from '../../lifecycle/when-aborted.ts'
import type { GeneratedImage, GenerateProgress, GenerateRequest, GenerateResult } from '../backend.ts'
import { generateAnswerSchema, infoSchema, progressAnswerSchema } from './sdapi-answers.ts'
import { type SdapiAddress, SdapiHttp } from './sdapi-http.ts'

const progressEveryMs = 250
/** How long a server may take to let go of an interrupted image, before its answer is no longer waited for. */
const interruptMs = 5000
/** An interrupt that comes before the server began is lost (A1 clears the flag at `begin`): it is said again. */
const interruptAgainMs = 400
const quickAnswerMs = 10_000

/** Client of a server with AUTOMATIC1111's `/sdapi/v1`. Endpoints and their oddities: A1 1.8, `modules/api/api.py`. */
export class SdapiClient {
  readonly #http: SdapiHttp

  constructor(address: SdapiAddress) {
    this.#http = new SdapiHttp(address)
  }

  /** Resolves when the server answers its API. @throws AppError saying what is wrong. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#http
      .get('/sdapi/v1/options', AbortSignal.any([signal, AbortSignal.timeout(quickAnswerMs)]))
      .catch((error: unknown) => {
        if (signal.aborted || error instanceof AppError) throw error
        throw new AppError('backend_unreachable', `The server did not answer within ${quickAnswerMs / 1000} s.`, { cause: error })
      })
  }

  /** Makes one image. Never throws; see `GenerateResult`. */
  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    if (signal.aborted) return { outcome: 'interrupted' }
    const began = performance.now()
    const abandon = new AbortController()
    const answered = new AbortController()
    const interrupting = this.#interruptOn(signal, answered.signal, abandon)
    const polling = this.#poll(request, onProgress, AbortSignal.any([signal, answered.signal]))
    try {
      const answer = await this.#http.post('/sdapi/v1/txt2img', payload(request), abandon.signal)
      // An interrupted call still answers 200, with a half-made picture.
      if (signal.aborted) return { outcome: 'interrupted' }
      return { outcome: 'done', image: await toImage(answer, request, Math.round(performance.now() - began)) }
    } catch (error) {
      return signal.aborted ? { outcome: 'interrupted' } : failed(error)
    } finally {
      answered.abort()
      await Promise.allSettled([interrupting, polling])
    }
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  async #interruptOn(signal: AbortSignal, answered: AbortSignal, abandon: AbortController): Promise<void> {
    await whenAborted(AbortSignal.any([signal, answered]))
    const over = AbortSignal.any([answered, AbortSignal.timeout(interruptMs)])
    while (!over.aborted) {
      await this.#http.post('/sdapi/v1/interrupt', {}, over).catch(() => {})
      await delay(interruptAgainMs, undefined, { signal: over }).catch(() => {})
    }
    abandon.abort()
  }

  async #poll(request: GenerateRequest, onProgress: (progress: GenerateProgress) => void, ended: AbortSignal): Promise<void> {
    let lastPreview = ''
    let lastFraction = 0
    for (let tick = 0; ; tick++) {
      try {
        await delay(progressEveryMs, undefined, { signal: ended })
        // A preview is a whole picture in base64: every other time is enough.
        const skip = tick % 2 === 1
        const limit = AbortSignal.any([ended, AbortSignal.timeout(quickAnswerMs)])
        const answer = progressAnswerSchema.parse(await this.#http.get(`/sdapi/v1/progress?skip_current_image=${skip}`, limit))
        // Between the last step and the answer a server reports its idle state: not a step back.
        if (answer.progress < lastFraction) continue
        lastFraction = answer.progress
        const fresh = answer.current_image && answer.current_image !== lastPreview ? answer.current_image : null
        if (fresh) lastPreview = fresh
        if (!ended.aborted) onProgress(toProgress(answer, request, fresh))
      } catch {
        // Progress is a comfort: a server without it, or one slow answer, costs no image.
        if (ended.aborted) return
      }
    }
  }
}

const payload = ({ recipe, seed }: GenerateRequest) => ({
  prompt: recipe.prompt,
  negative_prompt: recipe.negativePrompt,
  sampler_name: recipe.samplerName,
  scheduler: recipe.scheduler,
  steps: recipe.steps,
  cfg_scale: recipe.cfgScale,
  width: recipe.width,
  height: recipe.height,
  seed,
  batch_size: 1,
  n_iter: 1,
  send_images: true,
  save_images: false,
})

function toProgress(
  answer: z.infer<typeof progressAnswerSchema>,
  { recipe }: GenerateRequest,
  preview: string | null,
): GenerateProgress {
  const fraction = Math.min(1, Math.max(0, answer.progress))
  const eta = answer.eta_relative ?? 0
  return {
    step: answer.state?.sampling_step ?? Math.round(fraction * recipe.steps),
    steps: answer.state?.sampling_steps || recipe.steps,
    fraction,
    remainingMs: eta > 0 ? Math.round(eta * 1000) : null,
    preview: preview === null ? null : Buffer.from(stripDataUri(preview), 'base64'),
  }
}

const stripDataUri = (image: string): string => image.replace(/^data:[^,]*,/, '')

async function toImage(answer: unknown, request: GenerateRequest, durationMs: number): Promise<GeneratedImage> {
  const { images, info } = generateAnswerSchema.parse(answer)
  const details = readInfo(info)
  const first = details.index_of_first_image ?? 0
  const encoded = images[first] ?? images[0] ?? ''
  const { png, width, height } = await toPng(Buffer.from(stripDataUri(encoded), 'base64'))
  return {
    png,
    width,
    height,
    seed: details.all_seeds?.[0] ?? details.seed ?? request.seed,
    checkpoint: details.sd_model_name ?? '',
    parameters: details.infotexts?.[first] ?? details.infotexts?.[0] ?? '',
    durationMs,
  }
}

/** The picture is what counts: where the words beside it can't be read, what was asked for stands in. */
function readInfo(info: string): z.infer<typeof infoSchema> {
  try {
    return infoSchema.parse(JSON.parse(info))
  } catch {
    return {}
  }
}

/** Decodes the whole picture, so that a truncated one is found here and not in the gallery; other formats become PNG. */
async function toPng(bytes: Buffer): Promise<{ png: Uint8Array; width: number; height: number }> {
  // Loaded with the first picture: it costs start-up time and memory.
  const { default: sharp } = await import('sharp')
  const picture = sharp(bytes, { failOn: 'error' })
  const { format, width, height } = await picture.metadata()
  await picture.stats()
  return { png: format === 'png' ? bytes : await picture.png().toBuffer(), width, height }
}

function failed(thrown: unknown): GenerateResult {
  const error = asError(thrown)
  if (error instanceof AppError) {
    const problem: Problem = { code: error.code, message: error.message }
    return error.code === 'backend_unreachable'
      ? { outcome: 'unavailable', problem, crashed: false }
      : { outcome: 'rejected', problem }
  }
  const what = error instanceof z.ZodError ? z.prettifyError(error) : error.message
  return {
    outcome: 'rejected',
    problem: { code: 'backend_bad_answer', message: `The answer to txt2img could not be used: ${what}` },
  }
}
