import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Hono } from 'hono'
import { AppError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'

/** What answers may take to be written after the last one was asked for. */
const lastAnswersMs = 500

/**
 * HTTP on 127.0.0.1, on a port that the system chooses. It listens before what answers is loaded, which takes a fifth of the start (Node's
 * `fetch` and `http2` come with it): that is done after it, by `prepare` or the first request.
 */
export class HttpServer implements Component {
  readonly name = 'http server'
  readonly #loadApp: () => Promise<Hono>
  #listener: Promise<RequestListener> | undefined
  readonly #closed = deferred<ComponentExit>()
  #server: Server | undefined
  #started: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #port = 0

  constructor(loadApp: () => Promise<Hono>) {
    this.#loadApp = loadApp
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** 0 before it listens. Known to the end: what comes over a connection that is still open is checked against it. */
  get port(): number {
    return this.#port
  }

  async start(): Promise<void> {
    if (this.#stopped !== undefined) return
    this.#started = this.#listen()
    await this.#started
  }

  /** Loads what answers. @throws what loading it throws; each request that comes is answered with 500 then */
  async prepare(): Promise<void> {
    this.#listener ??= this.#load()
    await this.#listener
  }

  async #load(): Promise<RequestListener> {
    const [{ getRequestListener }, app] = await Promise.all([import('@hono/node-server'), this.#loadApp()])
    return getRequestListener(app.fetch)
  }

  readonly #answer: RequestListener = async (request, response) => {
    try {
      this.#listener ??= this.#load()
      const listener = await this.#listener
      listener(request, response)
    } catch {
      // Told by whoever prepares it.
      response.writeHead(500).end()
    }
  }

  async #listen(): Promise<void> {
    const server = createServer(this.#answer)
    // An event stream has no end; the header limit still bounds slow senders.
    server.requestTimeout = 0
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new AppError('internal', `No port of 127.0.0.1 could be opened: ${cause.message}`, { cause })),
      )
      server.listen(0, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    await this.#started?.catch(() => {})
    const server = this.#server
    if (server?.listening) {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const cut = setTimeout(() => server.closeAllConnections(), lastAnswersMs)
      await ended
      clearTimeout(cut)
    }
    this.#closed.resolve({ name: this.name })
  }
}
