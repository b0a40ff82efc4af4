import type { Socket } from 'node:net'
import type { Agent, WebSocket } from 'undici'
import { httpLibrary } from '../http-library.ts'

/** A picture of 8k as PNG is below this; a longer message ends the connection. */
const maxMessageBytes = 128 * 1024 * 1024

export interface SocketListener {
  readonly onText: (text: string) => void
  readonly onBinary: (data: ArrayBuffer) => void
  /** Told once. */
  readonly onClose: () => void
}

/** One WebSocket to ComfyUI's `/ws`. */
export class ComfyuiSocket {
  readonly #agent: Agent
  readonly #webSocket: WebSocket
  #raw: Socket | undefined

  /** Connects at once; nothing is thrown: what fails closes. @param url with `http:` or `https:`. */
  constructor(url: string, clientId: string, headers: Readonly<Record<string, string>>, listener: SocketListener) {
    const { Agent, buildConnector, WebSocket } = httpLibrary()
    const connect = buildConnector({ timeout: 10_000 })
    // The library's close() waits for the other side. Whoever holds the socket itself can end it.
    this.#agent = new Agent({
      webSocket: { maxPayloadSize: maxMessageBytes },
      connect: (options, callback) =>
        connect(options, (...result) => {
          const [error, socket] = result
          if (error === null) this.#raw = socket
          if (this.#ended) socket?.destroy()
          callback(...result)
        }),
    })
    const address = `${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/ws?clientId=${clientId}`
    this.#webSocket = new WebSocket(address, { dispatcher: this.#agent, headers })
    this.#webSocket.binaryType = 'arraybuffer'
    this.#webSocket.addEventListener('message', ({ data }) => {
      if (this.#ended) return
      if (typeof data === 'string') listener.onText(data)
      else listener.onBinary(data)
    })
    this.#webSocket.addEventListener('error', () => {})
    this.#webSocket.addEventListener('close', () => listener.onClose(), { once: true })
  }

  #ended = false

  /** Only after the first message has come. */
  send(text: string): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.send(text)
  }

  /** Ends it without waiting for the other side. Nothing is told after that but the close. */
  async end(): Promise<void> {
    this.#ended = true
    this.#raw?.destroy()
    await this.#agent.destroy()
  }
}
