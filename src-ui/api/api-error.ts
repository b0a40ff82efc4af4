import type { ErrorCode } from '../../src-sidecar/contract/error-codes.ts'
import { errorCodes } from '../../src-sidecar/contract/error-codes.ts'

/** `unreachable`: nobody answered. `bad_answer`: the answer isn't what the contract says. */
export type ApiErrorCode = ErrorCode | 'unreachable' | 'bad_answer'

export class ApiError extends Error {
  readonly code: ApiErrorCode

  constructor(code: ApiErrorCode, message: string) {
    super(message)
    this.name = 'ApiError'
    this.code = code
  }
}

/** What an answer that isn't 2xx means; `body` is its parsed JSON, or undefined where it had none. */
export function errorOfAnswer(status: number, body: unknown): ApiError {
  const { code, message } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = typeof message === 'string' ? message : `The answer was ${status}.`
  if (errorCodes.includes(code as ErrorCode)) return new ApiError(code as ErrorCode, text)
  return new ApiError(codeOfStatus(status), text)
}

function codeOfStatus(status: number): ApiErrorCode {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden_origin'
  if (status === 404) return 'not_found'
  if (status === 413) return 'too_large'
  if (status === 503) return 'shutting_down'
  return status >= 500 ? 'internal' : 'bad_request'
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError('internal', error instanceof Error ? error.message : String(error))
}
