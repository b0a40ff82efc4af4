import type { Agent, FormData } from 'undici'
import { AppError, asError } from '../errors/app-error.ts'
import { redactUrl } from '../logging/logger.ts'
import { type BackendDeadlines, backendDeadlines } from './backend-deadlines.ts'
import { httpLibrary } from './http-library.ts'

/** A 4k PNG in base64 is about 60 MB: more than this is no answer of ours. */
const maxAnswerBytes = 256 * 1024 * 1024

export interface ServerAddress {
  readonly url: string
  /** HTTP Basic, where it is not empty. */
  readonly username?: string
  readonly password?: string
}

export interface ServerHttpOptions {
  /** A question that helps when there is no connection: "Is the server running?" */
  readonly ifUnreachable: string
  /** What to do about a refusal; empty where nothing is known. */
  readonly ifRefused: (status: number, why: string) => string
  /** The reason in the body of a refusal; null where it holds none that is known. */
  readonly reasonIn: (body: unknown) => string | null
  readonly deadlines?: BackendDeadlines
  readonly maxAnswerBytes?: number
}

interface Question {
  readonly method: 'GET' | 'POST' | 'OPTIONS'
  readonly path: string
  readonly body?: string | FormData
  readonly signal: AbortSignal
  readonly ms: number
}

/**
 * HTTP to one server. Every failure is an AppError: `backend_unreachable` (its `data.connected` says whether the server had
 * the request already, `data.proxy` that only a proxy has answered), `backend_rejected` (`data.status`), `backend_bad_answer` or `timeout`. Where the caller's signal
 * aborts, its reason is thrown. Redirects are not followed: an address that redirects is not the server's.
 */
export class ServerHttp {
  readonly #base: string
  readonly #options: ServerHttpOptions
  readonly #deadlines: BackendDeadlines
  readonly #maxAnswerBytes: number
  readonly headers: Readonly<Record<string, string>>
  #agent: Agent | undefined
  #closed = false

  constructor(address: ServerAddress, options: ServerHttpOptions) {
    this.#base = address.url.replace(/\/+$/, '')
    this.#options = options
    this.#deadlines = options.deadlines ?? backendDeadlines
    this.#maxAnswerBytes = options.maxAnswerBytes ?? maxAnswerBytes
    this.headers = address.username ? { authorization: `Basic ${credentials(address)}` } : {}
  }

  /** One that is closed refuses, as it does when nothing was asked before. */
  #connections(): Agent {
    if (this.#agent === undefined) {
      // A picture may take an hour: the deadlines bound the wait, not the HTTP library's.
      const limits = { headersTimeout: 0, bodyTimeout: 0, connectTimeout: 10_000, maxResponseSize: this.#maxAnswerBytes }
      this.#agent = new (httpLibrary().Agent)(limits)
      if (this.#closed) void this.#agent.destroy()
    }
    return this.#agent
  }

  /** @param ms until the head of the answer; without it the deadline of a small question. */
  get(path: string, signal: AbortSignal, ms = this.#deadlines.quickMs): Promise<unknown> {
    return this.#json({ method: 'GET', path, signal, ms })
  }

  post(path: string, body: unknown, signal: AbortSignal, ms = this.#deadlines.quickMs): Promise<unknown> {
    return this.#json({ method: 'POST', path, body: JSON.stringify(body), signal, ms })
  }

  /** @param form with files */
  postForm(path: string, form: FormData, signal: AbortSignal): Promise<unknown> {
    return this.#json({ method: 'POST', path, body: form, signal, ms: this.#deadlines.bodyMs })
  }

  getBytes(path: string, signal: AbortSignal): Promise<Buffer> {
    return this.#send({ method: 'GET', path, signal, ms: this.#deadlines.quickMs }).then(({ bytes }) => bytes)
  }

  async options(path: string, signal: AbortSignal): Promise<void> {
    await this.#send({ method: 'OPTIONS', path, signal, ms: this.#deadlines.quickMs })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#agent?.destroy()
  }

  async #json(question: Question): Promise<unknown> {
    const { status, bytes } = await this.#send(question)
    const text = bytes.toString()
    // ComfyUI answers 200 with nothing to what needs no answer, SD.Next 204.
    if (status === 204 || text === '') return null
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new AppError('backend_bad_answer', `${this.#where(question)} did not answer with JSON: "${excerpt(text)}"`, {
        cause: error,
      })
    }
  }

  async #send(question: Question): Promise<{ status: number; bytes: Buffer }> {
    const { method, path, body, signal, ms } = question
    const late = new AbortController()
    const tooLate = (what: string, afterMs: number) => () =>
      late.abort(new AppError('timeout', `${this.#where(question)} ${what} within ${seconds(afterMs)}.`))
    let timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(tooLate('did not answer', ms), ms)
    let status: number
    let headers: Record<string, string | string[] | undefined>
    let bytes: Buffer
    try {
      const answer = await httpLibrary().request(this.#base + path, {
        method,
        body,
        headers: {
          accept: 'application/json, */*',
          ...this.headers,
          ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
        },
        signal: AbortSignal.any([signal, late.signal]),
        dispatcher: this.#connections(),
      })
      clearTimeout(timer)
      const { bodyMs } = this.#deadlines
      timer = setTimeout(tooLate('did not send its whole answer', bodyMs), bodyMs)
      status = answer.statusCode
      headers = answer.headers
      bytes = Buffer.from(await answer.body.arrayBuffer())
    } catch (error) {
      if (signal.aborted) throw error
      if (late.signal.aborted) throw late.signal.reason
      throw this.#noAnswer(question, error)
    } finally {
      clearTimeout(timer)
    }
    if (status < 200 || status > 299) throw this.#refused(question, status, String(headers.location ?? ''), bytes.toString())
    return { status, bytes }
  }

  #noAnswer(question: Question, error: unknown): AppError {
    if (error instanceof httpLibrary().errors.ResponseExceededMaxSizeError) {
      const most = `${Math.round(this.#maxAnswerBytes / 2 ** 20)} MB`
      return new AppError('backend_bad_answer', `${this.#where(question)} answered with more than ${most}.`, { cause: error })
    }
    const what = `${this.#where(question)} failed: ${reason(error)}. ${this.#options.ifUnreachable}`
    return new AppError('backend_unreachable', what, { cause: error, data: { connected: hadConnection(error) } })
  }

  #refused(question: Question, status: number, location: string, text: string): AppError {
    const where = this.#where(question)
    if (status < 400) {
      const to = location ? ` to ${redactUrl(location)}` : ''
      const what = `${where} redirects${to} (${status}). Set the address of the server itself in the settings.`
      return new AppError('backend_rejected', what, { data: { status } })
    }
    const body = parsed(text)
    const proxy = proxyProblem(status)
    if (proxy !== null) {
      const said = (body === undefined ? null : this.#options.reasonIn(body)) ?? plainExcerpt(text)
      const advice = proxy.waited ? proxyAdvice : this.#options.ifUnreachable
      const what = `A proxy in front of the server ${proxy.what} (${where} answered ${status}${said && `: ${said}`}). ${advice}`
      return new AppError('backend_unreachable', what, { data: { status, proxy: true, connected: proxy.waited } })
    }
    const why = (body === undefined ? null : this.#options.reasonIn(body)) ?? excerpt(text)
    const hint = this.#options.ifRefused(status, why)
    const what = `The server refused it: ${why} (${where} answered ${status}).${hint && ` ${hint}`}`
    return new AppError('backend_rejected', what, { data: { status, body } })
  }

  #where({ method, path }: Question): string {
    return `${method} ${redactUrl(this.#base)}${path}`
  }
}

const credentials = ({ username, password }: ServerAddress): string =>
  Buffer.from(`${username}:${password ?? ''}`).toString('base64')

const seconds = (ms: number): string => `${ms / 1000} s`

const proxyAdvice =
  'The server may be at the image still. Give the proxy a longer time limit, or set the address of the server itself in the settings.'

/**
 * What these answers mean; null for others. 502 to 504 are HTTP's own, 520 to 530 Cloudflare's (its tunnels too).
 * `waited`: the server has had the request, and may be at it.
 */
function proxyProblem(status: number): { what: string; waited: boolean } | null {
  if (status === 504 || status === 524) return { what: 'gave up waiting for the answer', waited: true }
  const unreached = [502, 503, 520, 521, 522, 523, 525, 526, 530]
  return unreached.includes(status) ? { what: 'does not reach it', waited: false } : null
}

const plainExcerpt = (text: string): string => (/^\s*</.test(text) ? '' : excerpt(text))

const excerpt = (text: string): string => text.slice(0, 200).replaceAll(/\s+/g, ' ').trim()

/** A connection refused on two addresses is an AggregateError without a message of its own. */
function reason(error: unknown): string {
  const { message, code } = asError(error) as Error & { code?: string }
  return message || code || 'no connection'
}

/** Codes of Node and undici for a connection that never came about; after any other the server may have begun. */
const neverConnected = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|ERR_.*)$/

const hadConnection = (error: unknown): boolean => !neverConnected.test((error as { code?: string }).code ?? '')

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
