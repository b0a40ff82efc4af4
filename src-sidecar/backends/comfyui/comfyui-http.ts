import type { BackendDeadlines } from '../backend-deadlines.ts'
import { type ServerAddress, ServerHttp } from '../server-http.ts'

/** HTTP to a ComfyUI. No `Origin` is sent: on loopback a strange one is answered with 403. */
export const comfyuiHttp = (address: ServerAddress, deadlines?: BackendDeadlines, maxAnswerBytes?: number): ServerHttp =>
  new ServerHttp(address, {
    ifUnreachable: 'Is ComfyUI running at this address?',
    ifRefused,
    reasonIn,
    deadlines,
    maxAnswerBytes,
  })

function ifRefused(status: number): string {
  if (status === 401 || status === 403)
    return 'Set user and password in the settings, if a proxy in front of ComfyUI asks for them.'
  return status === 404 ? 'Is it a ComfyUI that answers at this address?' : ''
}

interface NodeError {
  readonly class_type?: unknown
  readonly errors?: { readonly message?: unknown; readonly details?: unknown }[]
}

/** `{error: string | {message, details}, node_errors: {id: {class_type, errors: [{message, details}]}}}` of `POST /prompt`. */
function reasonIn(body: unknown): string | null {
  const { error, node_errors } = (body ?? {}) as { error?: unknown; node_errors?: unknown }
  if (typeof error === 'string') return error
  const { message, details } = (error ?? {}) as { message?: unknown; details?: unknown }
  const nodes = nodeProblems(node_errors)
  return [said(message, nodes === '' ? details : ''), nodes].filter((part) => part !== '').join(': ') || null
}

/** What ComfyUI says of each node that it could not take; empty where there is none. */
export function nodeProblems(nodeErrors: unknown): string {
  if (typeof nodeErrors !== 'object' || nodeErrors === null) return ''
  return Object.entries(nodeErrors as Record<string, NodeError>)
    .flatMap(([id, node]) =>
      (Array.isArray(node?.errors) ? node.errors : []).map(
        ({ message, details }) => `node ${id} (${node.class_type}): ${said(message, details)}`,
      ),
    )
    .join('; ')
    .slice(0, 1000)
}

const said = (message: unknown, details: unknown): string =>
  [message, details].filter((part) => typeof part === 'string' && part !== '').join(', ')
