/** One entry of a 422's `detail`, as pydantic 1 writes it. */
export interface FieldProblem {
  loc: (string | number)[]
  msg: string
  type: string
  ctx?: Record<string, unknown>
}

/** An answer other than 200. `body` is what A1 sends with that status. */
export class ApiError extends Error {
  readonly status: number
  readonly body: Record<string, unknown>

  constructor(status: number, body: Record<string, unknown>) {
    super(JSON.stringify(body))
    this.status = status
    this.body = body
  }
}

/** FastAPI's RequestValidationError: 422 with the list of wrong fields. */
export function invalidFields(...detail: FieldProblem[]): ApiError {
  return new ApiError(422, { detail })
}

/** A1's HTTPException, through `api_middleware`'s `handle_exception` (modules/api/api.py). */
export function httpException(status: number, detail: string): ApiError {
  return new ApiError(status, { error: 'HTTPException', detail, body: '', errors: '' })
}

/** A Python exception that reached A1's `handle_exception`: 500 with its type and text. */
export function serverError(type: string, errors: string): ApiError {
  return new ApiError(500, { error: type, detail: '', body: '', errors })
}
