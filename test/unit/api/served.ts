import { type IncomingHttpHeaders, request } from 'node:http'
import type { Hono } from 'hono'
import { onTestFinished } from 'vitest'
import { HttpServer } from '../../../src-sidecar/api/http-server.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: unknown
}

export interface Asking {
  readonly method?: string
  /** As they are: unlike fetch this sets Host, Origin and Cookie too. */
  readonly headers?: Record<string, string>
  readonly body?: string
}

export interface Served {
  readonly server: HttpServer
  readonly port: number
  ask(path: string, asking?: Asking): Promise<Answer>
}

/** Serves `make`'s app on a real socket until the test is finished. */
export async function served(make: (port: () => number) => Hono): Promise<Served> {
  const server: HttpServer = new HttpServer(async () => make(() => server.port))
  await server.start()
  onTestFinished(() => server.stop())
  return { server, port: server.port, ask: (path, asking) => ask(server.port, path, asking) }
}

function ask(port: number, path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      const isJson = response.headers['content-type']?.startsWith('application/json')
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
