import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketConnection } from './web-socket.ts'

export interface StandInServerOptions {
  /** The extension that the configuration lists. */
  readonly extensionId: string
  /** The answer to one message of a page or an extension; undefined for none. */
  readonly answer: (text: string) => Promise<string | undefined>
}

/** Neutralino's WebSocket: pages and extensions that know the connect token, and the events that all of them get. */
export class StandInServer {
  readonly connectToken = randomBytes(12).toString('hex')
  /** For native calls; the connect token is its part behind the dot. */
  readonly token = `${randomBytes(24).toString('hex')}.${this.connectToken}`
  readonly #options: StandInServerOptions
  readonly #pages = new Set<WebSocketConnection>()
  readonly #extensions = new Map<WebSocketConnection, string>()
  readonly #server = createServer((_request, response) => void response.writeHead(404).end())

  constructor(options: StandInServerOptions) {
    this.#options = options
  }

  /** @returns the port. */
  async listen(): Promise<number> {
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head)).listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  get connectedExtensions(): string[] {
    return [...this.#extensions.values()]
  }

  readonly broadcast = (event: string, data: unknown = null): void => {
    for (const one of [...this.#pages, ...this.#extensions.keys()]) one.send(JSON.stringify({ event, data }))
  }

  /** What `app.broadcast` does. */
  readonly broadcastToPages = (event: string, data: unknown): void => {
    for (const one of this.#pages) one.send(JSON.stringify({ event, data }))
  }

  /** Breaks the connection of every extension. */
  dropExtensions(): void {
    for (const connection of this.#extensions.keys()) connection.destroy()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const extensionId = searchParams.get('extensionId')
    const mayEnter = extensionId === null || extensionId === this.#options.extensionId
    if (!mayEnter || searchParams.get('connectToken') !== this.connectToken) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
      return
    }
    const connection = new WebSocketConnection(request, socket, head, {
      onText: (text) => void this.#options.answer(text).then((answer) => answer !== undefined && connection.send(answer)),
      onClose: () => {
        this.#pages.delete(connection)
        this.#extensions.delete(connection)
        this.#tell(extensionId, 'Disconnect')
      },
    })
    if (extensionId === null) this.#pages.add(connection)
    else this.#extensions.set(connection, extensionId)
    this.#tell(extensionId, 'Connect')
  }

  #tell(extensionId: string | null, what: 'Connect' | 'Disconnect'): void {
    if (extensionId === null) this.broadcast(`appClient${what}`, this.#pages.size)
    else this.broadcast(`extClient${what}`, extensionId)
    this.broadcast(`client${what}`, this.#pages.size + this.#extensions.size)
  }
}
