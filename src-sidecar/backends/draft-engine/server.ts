import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Settings } from './arguments.ts'
import { createEngine } from './engine.ts'
import { crash } from './misbehaviour.ts'
import { createRequestLog } from './request-log.ts'
import { createRoutes } from './routes.ts'

/** Starts the API and resolves with its port. Rejects when the address can't be had or the log can't be written. */
export async function listen(settings: Settings): Promise<number> {
  const log = createRequestLog(settings.requestLog)
  const { crashAt, stopAt } = settings
  const onStep = async (share: number) => {
    if (crashAt !== null && share >= crashAt) crash()
    if (stopAt !== null && share >= stopAt) await new Promise(() => {})
  }
  const routes = createRoutes(createEngine(settings.stepMs, onStep), { port: settings.port }, log)
  const server: Server = createServer(getRequestListener(routes.fetch))
  // A generation may take long and says nothing until it is done.
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, settings.host, resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : settings.port
}
