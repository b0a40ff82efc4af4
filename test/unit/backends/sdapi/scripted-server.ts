import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Heard {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: unknown
}

type Answer = (response: ServerResponse, heard: Heard, request: IncomingMessage) => unknown

export interface ScriptedServer {
  readonly url: string
  readonly heard: Heard[]
  close(): Promise<void>
}

/** A real HTTP server on a free port; each path is answered as the test says, others with 404 as FastAPI does. */
export async function scriptedServer(answers: Record<string, Answer>): Promise<ScriptedServer> {
  const heard: Heard[] = []
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const path = (request.url ?? '').split('?')[0]!
    const text = Buffer.concat(chunks).toString()
    const one: Heard = {
      method: request.method ?? '',
      path,
      authorization: request.headers.authorization,
      body: text === '' ? null : JSON.parse(text),
    }
    heard.push(one)
    const answer = answers[path]
    if (answer === undefined) json(response, { detail: 'Not Found' }, 404)
    else await answer(response, one, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
