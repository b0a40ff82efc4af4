import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { BackendModels } from '../../contract/backend-models.ts'
import type { ComfyuiSettings } from '../../contract/settings.ts'
import type { BackendCapability } from '../../contract/status.ts'
import { AppError } from '../../errors/app-error.ts'
import { whenAborted } from '../../lifecycle/when-aborted.ts'
import type { GeneratedImage, GenerateProgress, GenerateRequest, GenerateResult } from '../backend.ts'
import { type BackendDeadlines, backendDeadlines } from '../backend-deadlines.ts'
import { decodedPicture, preloadDecoder } from '../decoded-picture.ts'
import { infotext } from '../infotext.ts'
import { failedResult, notLetGo, readable, type ServerClient } from '../server-client.ts'
import type { ServerHttp } from '../server-http.ts'
import { ComfyuiEvents } from './comfyui-events.ts'
import { comfyuiHttp } from './comfyui-http.ts'
import { ComfyuiModels } from './comfyui-models.ts'
import { ComfyuiQueue, type Ticket } from './comfyui-queue.ts'
import { endOfPrompt } from './end-of-prompt.ts'
import { type PreparedGraph, preparedGraph } from './prepared-graph.ts'
import { ProgressTracker } from './progress-tracker.ts'

const theAnswer = 'The answer of ComfyUI'
const askAgainMs = 1000
const stillHangs = 'ComfyUI still hangs at an image that it was given before.'

export interface ComfyuiClientOptions {
  readonly deadlines?: BackendDeadlines
  readonly maxAnswerBytes?: number
}

/**
 * Client of a ComfyUI (measured on 0.8.0; 0.3.64 read). The WebSocket shows how it goes; what counts is the queue and the
 * history, which are asked at every hint and at intervals. One prompt at a time.
 */
export class ComfyuiClient implements ServerClient {
  readonly #settings: ComfyuiSettings
  readonly #deadlines: BackendDeadlines
  readonly #http: ServerHttp
  readonly #models: ComfyuiModels
  readonly #queue: ComfyuiQueue
  /** A prompt that was given up although ComfyUI had not let go of it, and when it was last heard of. */
  #givenUp: { ticket: Ticket; lastSignMs: number } | null = null

  constructor(settings: ComfyuiSettings, { deadlines = backendDeadlines, maxAnswerBytes }: ComfyuiClientOptions = {}) {
    this.#settings = settings
    this.#deadlines = deadlines
    this.#http = comfyuiHttp(settings, deadlines, maxAnswerBytes)
    this.#models = new ComfyuiModels(this.#http)
    this.#queue = new ComfyuiQueue(this.#http, deadlines)
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#http.get('/queue', signal)
  }

  async probe(signal: AbortSignal): Promise<readonly BackendCapability[]> {
    return await this.#models.capabilities(signal)
  }

  models(signal: AbortSignal): Promise<BackendModels> {
    return this.#models.all(signal)
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    const hangs = await this.hangs(signal)
    if (signal.aborted) return { outcome: 'interrupted' }
    if (hangs !== null) return { outcome: 'unavailable', problem: { code: 'backend_hung', message: hangs }, crashed: false }
    const began = performance.now()
    preloadDecoder()
    const ticket: Ticket = { clientId: randomUUID(), promptId: randomUUID(), posted: false, leftOut: '' }
    const over = new AbortController()
    let underWay = false
    let events: ComfyuiEvents | undefined
    const make = async (): Promise<GenerateResult> => {
      const prepared = await preparedGraph(this.#settings, request, this.#models, over.signal, (picture, name) =>
        this.#queue.upload(picture, name, over.signal),
      )
      const report = (progress: GenerateProgress) => {
        if (!signal.aborted) onProgress({ ...progress, steps: progress.steps || request.recipe.steps })
      }
      const { url } = this.#settings
      const progress = new ProgressTracker(prepared.graph, report)
      const { headers } = this.#http
      events = new ComfyuiEvents({
        url,
        headers,
        clientId: ticket.clientId,
        graph: prepared.graph,
        progress,
        deadlines: this.#deadlines,
      })
      await events.open()
      over.signal.throwIfAborted()
      underWay = true
      await this.#queue.add(ticket, prepared.graph, over.signal)
      const end = await endOfPrompt(this.#queue, ticket, events, this.#deadlines, over.signal)
      const picture = end.sent ?? (await this.#queue.picture(end.file, over.signal))
      const durationMs = Math.round(performance.now() - began)
      return { outcome: 'done', image: readable(theAnswer, () => toImage(picture, prepared, durationMs)) }
    }
    const withdraw = async () => {
      const gone = await this.#queue.withdraw(ticket)
      if (!gone) this.#givenUp = { ticket, lastSignMs: events?.lastSignMs ?? performance.now() }
      return gone
    }
    const making = make()
    making.catch(() => {})
    try {
      const result = await Promise.race([making, whenAborted(signal)])
      if (result !== null && !signal.aborted) return result
      if (underWay) await withdraw()
      return { outcome: 'interrupted' }
    } catch (error) {
      if (signal.aborted) return { outcome: 'interrupted' }
      // What nobody waits for any more must not keep the server from the next image.
      const letGo = !underWay || hasCode(error, 'backend_unreachable') || (await withdraw())
      if (!letGo && error instanceof AppError && error.data.stuck)
        return failedResult(notLetGo(error.message, this.#deadlines), true, '')
      return failedResult(error instanceof z.ZodError ? new Error(z.prettifyError(error)) : error, underWay, theAnswer)
    } finally {
      over.abort()
      await events?.end()
      await making.catch(() => {})
    }
  }

  /** ComfyUI does it between two prompts, whoever's they are (`main.py`). */
  async freeMemory(signal: AbortSignal): Promise<boolean> {
    await this.#http.post('/free', { unload_models: true, free_memory: true }, signal)
    return true
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  async hangs(signal: AbortSignal): Promise<string | null> {
    while (this.#givenUp !== null && !signal.aborted) {
      const { ticket, lastSignMs } = this.#givenUp
      // What does not answer within the deadline is not gone.
      const place = await this.#queue.place(ticket, signal).catch((error) => (hasCode(error, 'timeout') ? 'running' : 'gone'))
      if (place !== 'running') this.#givenUp = null
      else if (performance.now() - lastSignMs > this.#deadlines.stallMs) return stillHangs
      else await delay(askAgainMs, undefined, { signal }).catch(() => {})
    }
    return null
  }
}

const hasCode = (error: unknown, code: AppError['code']): boolean => error instanceof AppError && error.code === code

async function toImage(bytes: Uint8Array, { used, text }: PreparedGraph, durationMs: number): Promise<GeneratedImage> {
  const picture = await decodedPicture(Buffer.from(bytes))
  const { width, height } = picture
  const parameters = infotext(text, { ...used, width, height, checkpoint: used.checkpoint.replace(/^.*[\\/]|\.[a-z]+$/gi, '') })
  return { ...picture, ...used, parameters, durationMs }
}
