import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors/app-error.ts'
import type { BackendDeadlines } from '../backend-deadlines.ts'
import { httpLibrary } from '../http-library.ts'
import type { ServerHttp } from '../server-http.ts'
import {
  type HistoryEntry,
  historyEntrySchema,
  type PictureFile,
  promptAnswerSchema,
  queueAnswerSchema,
  uploadAnswerSchema,
} from './comfyui-answers.ts'
import { nodeProblems } from './comfyui-http.ts'
import type { Graph } from './graph.ts'

/** An interrupt that comes before the prompt is executed is lost (the flag is cleared then): it is said again. */
const interruptAgainMs = 300

/** One prompt of ours at the server. */
export interface Ticket {
  readonly clientId: string
  /** Ours, until the server answers with another: old versions choose it themselves. */
  promptId: string
  /** Whether the server has answered the posting, or will not. */
  posted: boolean
  /** What the server said of nodes that it left out. */
  leftOut: string
}

export type Place = 'running' | 'pending' | 'gone'

/** ComfyUI's queue and history, as seen by one who has a single prompt there at a time. */
export class ComfyuiQueue {
  readonly #http: ServerHttp
  readonly #deadlines: BackendDeadlines

  constructor(http: ServerHttp, deadlines: BackendDeadlines) {
    this.#http = http
    this.#deadlines = deadlines
  }

  /**
   * Puts a picture into the server's temp folder, which it clears itself.
   * @returns its name as LoadImage wants it (ComfyUI's `folder_paths.py`, `annotated_filepath`)
   */
  async upload(picture: Buffer<ArrayBuffer>, name: string, signal: AbortSignal): Promise<string> {
    const form = new (httpLibrary().FormData)()
    form.set('image', new Blob([picture], { type: 'image/png' }), name)
    form.set('type', 'temp')
    form.set('subfolder', 'stablenew')
    form.set('overwrite', 'true')
    const answer = uploadAnswerSchema.parse(await this.#http.postForm('/upload/image', form, signal))
    const path = answer.subfolder === '' ? answer.name : `${answer.subfolder}/${answer.name}`
    return `${path} [${answer.type}]`
  }

  /**
   * Posts the graph under the ticket's ids. Where the answer is lost on the way, the server is asked whether it has the prompt
   * before anything else: it takes the same id twice. @throws AppError as `ServerHttp`, when it has not.
   */
  async add(ticket: Ticket, graph: Graph, signal: AbortSignal): Promise<void> {
    const body = {
      prompt: graph,
      client_id: ticket.clientId,
      prompt_id: ticket.promptId,
      // Known since 0.8; without it there are no previews unless the server was started with --preview-method.
      extra_data: { preview_method: 'auto' },
    }
    try {
      const answer = promptAnswerSchema.safeParse(await this.#http.post('/prompt', body, signal))
      if (!answer.success)
        throw new AppError('backend_bad_answer', 'The answer to POST /prompt names no prompt_id. Is it a ComfyUI?')
      ticket.promptId = answer.data.prompt_id
      ticket.leftOut = nodeProblems(answer.data.node_errors)
    } catch (error) {
      if (signal.aborted || !mayHaveArrived(error)) throw error
      if (!(await this.has(ticket, signal).catch(() => false))) throw error
    } finally {
      ticket.posted = true
    }
  }

  async has(ticket: Ticket, signal: AbortSignal): Promise<boolean> {
    return (await this.place(ticket, signal)) !== 'gone' || (await this.entry(ticket, signal)) !== null
  }

  async place(ticket: Ticket, signal: AbortSignal): Promise<Place> {
    const { queue_running, queue_pending } = queueAnswerSchema.parse(await this.#http.get('/queue', signal))
    const ours = (item: readonly unknown[]) =>
      item[1] === ticket.promptId || (item[3] as { client_id?: unknown } | null)?.client_id === ticket.clientId
    const found = queue_running.find(ours) ?? queue_pending.find(ours)
    if (found === undefined) return 'gone'
    ticket.promptId = found[1]
    return queue_running.includes(found) ? 'running' : 'pending'
  }

  /** How the prompt ended; null while it has not. */
  async entry(ticket: Ticket, signal: AbortSignal): Promise<HistoryEntry | null> {
    const answer = await this.#http.get(`/history/${encodeURIComponent(ticket.promptId)}`, signal)
    const entry = (answer as Record<string, unknown> | null)?.[ticket.promptId]
    return entry === undefined ? null : historyEntrySchema.parse(entry)
  }

  /** @throws AppError as `ServerHttp`; where the file is gone, saying why that may be. */
  async picture({ filename, subfolder, type }: PictureFile, signal: AbortSignal): Promise<Buffer> {
    try {
      return await this.#http.getBytes(`/view?${new URLSearchParams({ filename, subfolder, type })}`, signal)
    } catch (error) {
      if (!(error instanceof AppError) || error.data.status !== 404) throw error
      // What it has made before it does not make again: it names the old file, whether or not that is still there.
      throw new AppError(
        'backend_bad_answer',
        `ComfyUI no longer has the picture ${filename}, which it made before. Retry with another seed, or restart ComfyUI.`,
        { cause: error },
      )
    }
  }

  /**
   * Takes our prompt back: out of the queue where it waits, by an interrupt where it runs. Resolves once it is gone, or after
   * `interruptMs`. Asked anew before each interrupt, for older versions interrupt whatever runs.
   * @returns whether it is gone, as far as could be seen.
   */
  async withdraw(ticket: Ticket): Promise<boolean> {
    const over = AbortSignal.timeout(this.#deadlines.interruptMs)
    while (!over.aborted) {
      try {
        const place = await this.place(ticket, over)
        if (place === 'gone' && ticket.posted) return true
        if (place === 'pending') await this.#http.post('/queue', { delete: [ticket.promptId] }, over)
        if (place === 'running') await this.#http.post('/interrupt', { prompt_id: ticket.promptId }, over)
      } catch {
        // It may be busy, or gone: asked again until the deadline.
      }
      await delay(interruptAgainMs, undefined, { signal: over }).catch(() => {})
    }
    return false
  }
}

/** Whether the server may have the prompt although no good answer came. */
function mayHaveArrived(error: unknown): boolean {
  if (!(error instanceof AppError)) return false
  return error.code === 'timeout' || error.code === 'backend_bad_answer' || error.data.connected === true
}
