import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import type { ErrorCode } from '../contract/error-codes.ts'
import { AppError } from '../errors/app-error.ts'
import type { Logger } from '../logging/logger.ts'

const statuses: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden_origin: 403,
  not_found: 404,
  pack_not_found: 404,
  job_not_found: 404,
  image_not_found: 404,
  conflict: 409,
  job_state: 409,
  too_large: 413,
  pack_broken: 422,
  picture_unreadable: 422,
  backend_unreachable: 502,
  shutting_down: 503,
  database_broken: 503,
  disk: 507,
}

/**
 * The one place where an error becomes an HTTP answer: `{code, message}`.
 * @param ofStorage what to say where disk or database are the reason
 */
export const errorAnswer =
  (logger: Logger, ofStorage: (thrown: unknown) => Promise<AppError | undefined> = async () => undefined) =>
  async (thrown: Error, c: Context): Promise<Response> => {
    const known = await ofStorage(thrown)
    const error = known ?? toAppError(thrown)
    const status = statuses[error.code] ?? 500
    if (status === 500 || (status === 507 && !known)) logger.error({ err: thrown, path: c.req.path }, 'request failed')
    // The rest of the body was not read, so the connection is of no further use.
    if (status === 413) c.header('connection', 'close')
    return c.json({ code: error.code, message: error.message }, status)
  }

function toAppError(thrown: Error): AppError {
  if (thrown instanceof AppError) return thrown
  if (thrown instanceof z.ZodError) return new AppError('bad_request', z.prettifyError(thrown), { cause: thrown })
  if (thrown instanceof HTTPException) {
    return new AppError(thrown.status === 413 ? 'too_large' : 'bad_request', thrown.message || 'The request could not be read.')
  }
  return new AppError('internal', `Something went wrong inside StableNew: ${thrown.message}. The log has the details.`, {
    cause: thrown,
  })
}
