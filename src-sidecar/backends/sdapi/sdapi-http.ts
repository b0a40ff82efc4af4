import { Agent, errors, request } from 'undici'
import { AppError, asError } from '../../errors/app-error.ts'
import { redactUrl } from '../../logging/logger.ts'

/** A 4k PNG in base64 is about 60 MB: more than this is no answer of ours. */
const maxAnswerBytes = 256 * 1024 * 1024

export interface SdapiAddress {
  readonly url: string
  readonly username?: string
  readonly password?: string
}

/** HTTP to one server. Every failure is an AppError: `backend_unreachable`, `backend_rejected` or `backend_bad_answer`. */
export class SdapiHttp {
  readonly #base: string
  readonly #headers: Record<string, string>
  // A picture may take an hour: the caller's signal and deadlines bound the wait, not the HTTP library's.
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connectTimeout: 10_000, maxResponseSize: maxAnswerBytes })

  constructor(address: SdapiAddress) {
    this.#base = address.url.replace(/\/+$/, '')
    this.#headers = { accept: 'application/json' }
    if (address.username) {
      const credentials = Buffer.from(`${address.username}:${address.password ?? ''}`).toString('base64')
      this.#headers.authorization = `Basic ${credentials}`
    }
  }

  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#send('GET', path, undefined, signal)
  }

  post(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#send('POST', path, JSON.stringify(body), signal)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #send(method: 'GET' | 'POST', path: string, body: string | undefined, signal: AbortSignal): Promise<unknown> {
    const where = `${method} ${redactUrl(this.#base)}${path}`
    let status: number
    let text: string
    try {
      const headers = body === undefined ? this.#headers : { ...this.#headers, 'content-type': 'application/json' }
      const answer = await request(this.#base + path, { method, headers, body, signal, dispatcher: this.#agent })
      status = answer.statusCode
      text = await answer.body.text()
    } catch (error) {
      if (signal.aborted) throw error
      if (error instanceof errors.ResponseExceededMaxSizeError) {
        throw new AppError('backend_bad_answer', `${where} answered with more than ${maxAnswerBytes / 2 ** 20} MB.`, {
          cause: error,
        })
      }
      throw new AppError(
        'backend_unreachable',
        `${where} failed: ${reason(error)}. Is the server running, and started with --api?`,
        { cause: error },
      )
    }
    if (status === 204) return null
    if (status < 200 || status > 299) throw refused(where, status, text)
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new AppError('backend_bad_answer', `${where} did not answer with JSON: "${excerpt(text)}"`, { cause: error })
    }
  }
}

/** A connection refused on two addresses is an AggregateError without a message of its own. */
function reason(error: unknown): string {
  const { message, code } = asError(error) as Error & { code?: string }
  return message || code || 'no connection'
}

const excerpt = (text: string): string => text.slice(0, 200).replaceAll(/\s+/g, ' ').trim()

function refused(where: string, status: number, text: string): AppError {
  const why = detail(text)
  return new AppError('backend_rejected', `The server refused it: ${why} (${where} answered ${status}).${hint(status, why)}`, {
    data: { status },
  })
}

function hint(status: number, why: string): string {
  if (status === 401) return ' Set user and password of the server (--api-auth) in the settings.'
  // FastAPI's words for a route that is not there.
  return status === 404 && why === 'Not Found' ? ' Was the server started with --api?' : ''
}

/** FastAPI: `{detail: string | [{loc, msg}]}`; A1 adds `{error, errors}`. */
function detail(text: string): string {
  try {
    const body = JSON.parse(text)
    if (Array.isArray(body.detail))
      return body.detail.map((item: { loc?: unknown[]; msg?: string }) => `${item.loc?.join('.')}: ${item.msg}`).join('; ')
    return (
      [body.detail || body.error, body.errors].filter((part) => typeof part === 'string' && part !== '').join(', ') ||
      excerpt(text)
    )
  } catch {
    return excerpt(text)
  }
}
