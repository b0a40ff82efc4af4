import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { BackendModels } from '../../contract/backend-models.ts'
import type { BackendCapability } from '../../contract/status.ts'
import { AppError } from '../../errors/app-error.ts'
import { whenAborted } from '../../lifecycle/when-aborted.ts'
import type { GeneratedImage, GenerateProgress, GenerateRequest, GenerateResult } from '../backend.ts'
import { type BackendDeadlines, backendDeadlines } from '../backend-deadlines.ts'
import { decodedPicture, preloadDecoder } from '../decoded-picture.ts'
import { infotext } from '../infotext.ts'
import { failedResult, notLetGo, readable, type ServerClient } from '../server-client.ts'
import type { ServerAddress, ServerHttp } from '../server-http.ts'
import { type GenerateAnswer, type Info, infoSchema } from './sdapi-answers.ts'
import type { SdapiFeatures } from './sdapi-body.ts'
import { sdapiCapabilities } from './sdapi-capabilities.ts'
import { sdapiHttp } from './sdapi-http.ts'
import { SdapiMemory } from './sdapi-memory.ts'
import { sdapiModels } from './sdapi-models.ts'
import { type ProgressSources, SdapiProgress, withoutDataUri } from './sdapi-progress.ts'
import { sdapiRequest } from './sdapi-request.ts'

/** An interrupt that comes before the server began is lost (A1 clears the flag at `begin`): it is said again. */
const interruptAgainMs = 400

export interface SdapiClientOptions {
  readonly deadlines?: BackendDeadlines
  readonly maxAnswerBytes?: number
}

/** Client of a server with AUTOMATIC1111's `/sdapi/v1`. Endpoints and their oddities: A1 1.8, `modules/api/api.py`. */
export class SdapiClient implements ServerClient {
  readonly #http: ServerHttp
  readonly #deadlines: BackendDeadlines
  readonly #memory: SdapiMemory
  #features: SdapiFeatures = { checkpoints: [], adetailer: false, modules: false }
  #sources: ProgressSources = { task: false, global: true }
  /** An image that was given up although the server had not let go of it. */
  #givenUp: SdapiProgress | null = null

  constructor(address: ServerAddress, { deadlines = backendDeadlines, maxAnswerBytes }: SdapiClientOptions = {}) {
    this.#http = sdapiHttp(address, deadlines, maxAnswerBytes)
    this.#deadlines = deadlines
    this.#memory = new SdapiMemory(this.#http)
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#http.get('/sdapi/v1/options', signal)
  }

  async probe(signal: AbortSignal): Promise<readonly BackendCapability[]> {
    await this.check(signal)
    const capabilities = await sdapiCapabilities(this.#http, signal)
    const has = (wanted: string) => capabilities.some(({ name, available }) => name === wanted && available)
    this.#sources = { task: has('taskProgress'), global: has('progress') }
    this.#features = { ...this.#features, adetailer: has('adetailer'), modules: has('modules') }
    return capabilities
  }

  async models(signal: AbortSignal): Promise<BackendModels> {
    const models = await sdapiModels(this.#http, signal)
    this.#features = { ...this.#features, checkpoints: models.checkpoints }
    return models
  }

  generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    return this.#memory.during(() => this.#generate(request, onProgress, signal), this.#deadlines.stallMs, signal)
  }

  async hangs(signal: AbortSignal): Promise<string | null> {
    const givenUp = this.#givenUp
    const stands = (await givenUp?.letGo(signal)) ?? null
    if (stands === null && !signal.aborted && this.#givenUp === givenUp) this.#givenUp = null
    return stands
  }

  freeMemory(signal: AbortSignal): Promise<boolean> {
    return this.#memory.free(signal)
  }

  async #generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    const hangs = await this.hangs(signal)
    if (signal.aborted) return { outcome: 'interrupted' }
    if (hangs !== null) return { outcome: 'unavailable', problem: { code: 'backend_hung', message: hangs }, crashed: false }
    const began = performance.now()
    preloadDecoder()
    const abandon = new AbortController()
    const answered = new AbortController()
    const theAnswer = `The answer to ${request.recipe.source?.as ?? 'txt2img'}`
    const taskId = `task(stablenew-${randomUUID()})`
    const ended = AbortSignal.any([signal, answered.signal])
    const progress = new SdapiProgress({
      http: this.#http,
      taskId,
      steps: request.recipe.steps,
      sources: request.recipe.source?.as === 'upscale' ? { task: false, global: false } : this.#sources,
      deadlines: this.#deadlines,
      onProgress: (one) => {
        if (!ended.aborted) onProgress(one)
      },
    })
    const giveUp = (error?: AppError) => {
      this.#givenUp = progress
      abandon.abort(error)
    }
    const interrupting = this.#interruptOn(signal, answered.signal, giveUp)
    let stuck = null as string | null
    const following = progress.follow(ended).then(async (sentence) => {
      stuck = sentence
      if (stuck !== null && !(await this.#interrupt(answered.signal))) giveUp(notLetGo(stuck, this.#deadlines))
    })
    try {
      const asked = await sdapiRequest(request, this.#features, this.#sources.task ? taskId : undefined)
      const answer = await this.#http.post(asked.path, asked.body, abandon.signal, Number.POSITIVE_INFINITY)
      // An interrupted call still answers 200, with a half-made picture.
      if (signal.aborted) return { outcome: 'interrupted' }
      if (stuck !== null) throw new AppError('timeout', `${stuck} It gave the image up when it was interrupted.`)
      const durationMs = Math.round(performance.now() - began)
      const parsed = asked.read(answer)
      return { outcome: 'done', image: readable(theAnswer, () => toImage(parsed, request, durationMs)) }
    } catch (error) {
      if (signal.aborted) return { outcome: 'interrupted' }
      const failed = failedResult(error instanceof z.ZodError ? new Error(z.prettifyError(error)) : error, true, theAnswer)
      if (failed.outcome !== 'unavailable' || !(error instanceof AppError && error.data.proxy)) return failed
      // It may go on behind a proxy that has given up; and what was begun may be what the server went down with.
      if (progress.begun || failed.crashed) await this.#takeBack(progress)
      return { ...failed, crashed: failed.crashed || progress.begun }
    } finally {
      answered.abort()
      await Promise.allSettled([interrupting, following])
    }
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  /** For an image that nobody waits for any more. */
  async #takeBack(progress: SdapiProgress): Promise<void> {
    this.#givenUp = progress
    const late = AbortSignal.timeout(this.#deadlines.interruptMs)
    await this.#http.post('/sdapi/v1/interrupt', {}, late).catch(() => {})
  }

  async #interruptOn(signal: AbortSignal, answered: AbortSignal, giveUp: () => void): Promise<void> {
    await whenAborted(AbortSignal.any([signal, answered]))
    if (!answered.aborted && !(await this.#interrupt(answered))) giveUp()
  }

  /** Says it until the server answers the request, at most `interruptMs`. @returns whether it did. */
  async #interrupt(answered: AbortSignal): Promise<boolean> {
    const over = AbortSignal.any([answered, AbortSignal.timeout(this.#deadlines.interruptMs)])
    while (!over.aborted) {
      await this.#http.post('/sdapi/v1/interrupt', {}, over).catch(() => {})
      await delay(interruptAgainMs, undefined, { signal: over }).catch(() => {})
    }
    return answered.aborted
  }
}

async function toImage({ images, info }: GenerateAnswer, request: GenerateRequest, durationMs: number): Promise<GeneratedImage> {
  const details = readInfo(info)
  const first = details.index_of_first_image ?? 0
  const encoded = images[first] ?? images[0] ?? ''
  const picture = await decodedPicture(Buffer.from(withoutDataUri(encoded), 'base64'))
  const text = details.infotexts?.[first] ?? details.infotexts?.[0] ?? ''
  const used = {
    width: picture.width,
    height: picture.height,
    seed: details.all_seeds?.[0] ?? details.seed ?? request.seed,
    checkpoint: details.sd_model_name ?? text.match(/(?:^|, )Model: ([^,\n]+)/m)?.[1] ?? '',
  }
  return { png: picture.png, ...used, parameters: text || infotext(usedRecipe(request, details), used), durationMs }
}

const usedRecipe = ({ recipe }: GenerateRequest, { sampler_name, steps, cfg_scale }: Info) => ({
  ...recipe,
  samplerName: sampler_name ?? recipe.samplerName,
  steps: steps ?? recipe.steps,
  cfgScale: cfg_scale ?? recipe.cfgScale,
})

/** The picture is what counts: where the words beside it can't be read, what was asked for stands in. */
function readInfo(info: string): Info {
  try {
    return infoSchema.parse(JSON.parse(info))
  } catch {
    return {}
  }
}
