import type { BackendDeadlines } from '../backend-deadlines.ts'
import { type ServerAddress, ServerHttp } from '../server-http.ts'

/** HTTP to a server with `/sdapi/v1`. */
export const sdapiHttp = (address: ServerAddress, deadlines?: BackendDeadlines, maxAnswerBytes?: number): ServerHttp =>
  new ServerHttp(address, {
    ifUnreachable: 'Is the server running, and started with --api?',
    ifRefused,
    reasonIn,
    deadlines,
    maxAnswerBytes,
  })

function ifRefused(status: number, why: string): string {
  if (status === 401) return 'Set user and password of the server (--api-auth) in the settings.'
  // FastAPI's words for a route that is not there.
  return status === 404 && why === 'Not Found' ? 'Was the server started with --api?' : ''
}

/** FastAPI: `{detail: string | [{loc, msg}]}`; A1 adds `{error, errors}`. */
function reasonIn(body: unknown): string | null {
  const { detail, error, errors } = (body ?? {}) as { detail?: unknown; error?: unknown; errors?: unknown }
  if (Array.isArray(detail))
    return detail.map((item: { loc?: unknown[]; msg?: string }) => `${item?.loc?.join('.')}: ${item?.msg}`).join('; ')
  return [detail || error, errors].filter((part) => typeof part === 'string' && part !== '').join(', ') || null
}
