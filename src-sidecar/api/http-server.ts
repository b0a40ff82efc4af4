import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { AppError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'

/** What answers may take to be written after the last one was asked for. */
const lastAnswersMs = 500

/** HTTP on 127.0.0.1, on a port that the system chooses. */
export class HttpServer implements Component {
  readonly name = 'http server'
  readonly #app: Hono
  readonly #closed = deferred<ComponentExit>()
  #server: Server | undefined
  #started: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #port = 0

  constructor(app: Hono) {
    this.#app = app
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

  async #listen(): Promise<void> {
    const server = createAdaptorServer({ fetch: this.#app.fetch }) as Server
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
