import type { BackendDeadlines } from '../backend-deadlines.ts'
import { pictureInFrame } from './binary-frame.ts'
import { messageSchema, nodeOutputSchema, type PictureFile } from './comfyui-answers.ts'
import { ComfyuiSocket } from './comfyui-socket.ts'
import type { Graph } from './graph.ts'
import type { ProgressTracker } from './progress-tracker.ts'

const firstReconnectMs = 250
const lastReconnectMs = 4000
/** By these ComfyUI says that a prompt is over, or soon will be; `status` that its queue has changed. */
const hints = ['execution_success', 'execution_error', 'execution_interrupted', 'status']
const signs = [...hints.slice(0, 3), 'execution_start', 'execution_cached', 'executing', 'executed', 'progress', 'progress_state']

export interface ComfyuiEventsOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** One for each prompt, so that nothing of another prompt comes. */
  readonly clientId: string
  readonly graph: Graph
  readonly progress: ProgressTracker
  readonly deadlines: BackendDeadlines
}

/**
 * What ComfyUI tells about one prompt while it runs, as far as it does: connections break, messages get lost, come twice or in
 * another order. So nothing here decides anything. It shows progress, and says when it is worth asking (`hint`).
 *
 * A lost connection is made again with the same client id, for a running prompt tells nobody else. ComfyUI may then forget
 * the new one together with the old (`server.py`: the `finally` of the old one's handler), so silence proves nothing either.
 */
export class ComfyuiEvents {
  readonly #options: ComfyuiEventsOptions
  /** By node. */
  readonly outputs = new Map<string, readonly PictureFile[]>()
  /** Of a SaveImageWebsocket node. */
  sentPicture: Uint8Array | null = null
  /** Once it is known; until then all messages are taken for the prompt's. */
  promptId: string | null = null
  /** When the prompt was last heard of; milliseconds of `performance.now()`. */
  lastSignMs = performance.now()
  #socket: ComfyuiSocket | undefined
  #node: string | null = null
  #connected = false
  #broken = false
  #ended = false
  #hint = Promise.withResolvers<void>()
  #greeted = Promise.withResolvers<void>()
  #reconnect: NodeJS.Timeout | undefined
  #reconnectMs = firstReconnectMs

  constructor(options: ComfyuiEventsOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Connected from the beginning until now: the server is still the same process. */
  get unbroken(): boolean {
    return this.#connected && !this.#broken
  }

  /** Resolves once ComfyUI has greeted, for nothing is told again; or when it is clear that it does not. */
  async open(): Promise<void> {
    this.#connect()
    const timer = setTimeout(() => this.#greeted.resolve(), this.#options.deadlines.quickMs)
    await this.#greeted.promise
    clearTimeout(timer)
  }

  /** Resolves when it is worth asking how the prompt is, at the latest after `ms`. */
  async hint(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#hint.resolve(), ms)
    await this.#hint.promise
    clearTimeout(timer)
    this.#hint = Promise.withResolvers()
  }

  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#reconnect)
    this.#hint.resolve()
    this.#greeted.resolve()
    await this.#socket?.end()
  }

  #connect(): void {
    const { url, clientId, headers } = this.#options
    this.#socket = new ComfyuiSocket(url, clientId, headers, {
      onText: (text) => this.#hear(text),
      onBinary: (data) => this.#see(data),
      onClose: () => this.#lost(),
    })
  }

  #lost(): void {
    this.#connected = false
    this.#broken = true
    this.#greeted.resolve()
    if (this.#ended) return
    this.#hint.resolve()
    const last = this.#socket
    this.#reconnect = setTimeout(() => {
      void last?.end()
      this.#connect()
    }, this.#reconnectMs)
    this.#reconnectMs = Math.min(this.#reconnectMs * 2, lastReconnectMs)
  }

  #hear(text: string): void {
    const message = messageSchema.safeParse(parsed(text))
    if (!message.success) return
    const { type, data } = message.data
    if (!this.#connected) this.#greet()
    if (typeof data.prompt_id === 'string' && this.promptId !== null && data.prompt_id !== this.promptId) return
    if (signs.includes(type)) this.lastSignMs = performance.now()
    if (hints.includes(type)) this.#hint.resolve()
    else if (type === 'executing') this.#executing(data.node)
    else if (type === 'progress')
      this.#options.progress.step(nodeId(data.node) ?? this.#node, Number(data.value), Number(data.max))
    else if (type === 'executed') this.#executed(nodeId(data.node), data.output)
  }

  #greet(): void {
    this.#connected = true
    this.#reconnectMs = firstReconnectMs
    this.#socket?.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }))
    this.#greeted.resolve()
  }

  /** Without a node it is over, and history has it (`execution.py`; `execution_success` comes before that). */
  #executing(node: unknown): void {
    this.#node = nodeId(node)
    if (this.#node === null) this.#hint.resolve()
  }

  #executed(node: string | null, output: unknown): void {
    const { images } = nodeOutputSchema.parse(output)
    if (node !== null && images.length > 0) this.outputs.set(node, images)
  }

  #see(data: ArrayBuffer): void {
    const picture = pictureInFrame(data)
    if (picture === null) return
    if (picture.promptId !== null && this.promptId !== null && picture.promptId !== this.promptId) return
    const node = picture.nodeId ?? this.#node
    if (node !== null && this.#options.graph[node]?.class_type === 'SaveImageWebsocket') this.sentPicture = picture.bytes
    else this.#options.progress.preview(picture.bytes)
  }
}

const nodeId = (node: unknown): string | null => (typeof node === 'string' || typeof node === 'number' ? String(node) : null)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
