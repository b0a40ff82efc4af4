import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../errors/app-error.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import type { Handshake } from './handshake.ts'

const connectMs = 5000
const callMs = 2000

const messageSchema = z.union([
  z.object({ event: z.string(), data: z.unknown().optional() }),
  z.object({ id: z.string(), data: z.looseObject({ error: z.object({ message: z.string() }).optional() }).optional() }),
])

type EventListener = (name: string, data: unknown) => void

/** The sidecar's connection to Neutralino as one of its extensions: events in, native calls out. */
export class NeutralinoSocket {
  /** Settles once, when the connection has ended; never rejects. */
  readonly closed: Promise<void>
  readonly #handshake: Handshake
  readonly #socket: WebSocket
  readonly #calls = new Map<string, PromiseWithResolvers<void>>()

  private constructor(handshake: Handshake, onEvent: EventListener) {
    const { nlPort, nlExtensionId, nlConnectToken } = handshake
    this.#handshake = handshake
    const query = new URLSearchParams({ extensionId: nlExtensionId, connectToken: nlConnectToken })
    const socket = new WebSocket(`ws://127.0.0.1:${nlPort}/?${query}`)
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(data, onEvent))
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', () => {
        for (const call of this.#calls.values()) call.reject(new AppError('timeout', 'The window closed before it answered.'))
        resolve()
      })
    })
  }

  /** @throws AppError `timeout` when the window does not answer within 5 s, `unauthorized` when it refuses. */
  static async connect(handshake: Handshake, onEvent: EventListener): Promise<NeutralinoSocket> {
    const connection = new NeutralinoSocket(handshake, onEvent)
    const opened = new Promise<void>((resolve, reject) => {
      connection.#socket.addEventListener('open', () => resolve())
      connection.#socket.addEventListener('close', () =>
        reject(new AppError('unauthorized', 'The window refused the connection.')),
      )
    })
    try {
      await withDeadline('connection to the window', connectMs, opened)
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /** A native call, such as `app.exit`. @throws AppError `timeout` (2 s, or the window has gone), `internal` when it is refused. */
  async call(method: string, data: Record<string, unknown> = {}): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new AppError('timeout', `${method}: the window has gone.`)
    const id = randomUUID()
    const answer = Promise.withResolvers<void>()
    this.#calls.set(id, answer)
    this.#socket.send(JSON.stringify({ id, method, accessToken: this.#handshake.nlToken, data }))
    try {
      await withDeadline(`${method} of the window`, callMs, answer.promise)
    } finally {
      this.#calls.delete(id)
    }
  }

  /** Ends the connection from our side; `closed` follows. */
  close(): void {
    this.#socket.close()
  }

  #receive(data: unknown, onEvent: EventListener): void {
    let json: unknown
    try {
      json = JSON.parse(String(data))
    } catch {
      return
    }
    const { data: message } = messageSchema.safeParse(json)
    if (!message) return
    if ('event' in message) onEvent(message.event, message.data)
    else if (message.data?.error) this.#calls.get(message.id)?.reject(new AppError('internal', message.data.error.message))
    else this.#calls.get(message.id)?.resolve()
  }
}
