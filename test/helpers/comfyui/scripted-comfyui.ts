import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketConnection } from '../../../src-sidecar/selftest/web-socket.ts'
import { type ComfyGraph, invalidNodes, metadataFrame, pictureFor, plainFrame, previewJpeg, samplersOf } from './comfyui-graph.ts'

/** What a version does, and how this one misbehaves. Tests change it at any time. */
export interface ComfyuiScript {
  /** Takes the client's `prompt_id` and interrupts by it (0.8.0); older versions do neither. */
  modern: boolean
  stepMs: number
  /** Between `execution_success` and the entry in the history. */
  historyDelayMs: number
  /** Thrown by the sampler at its second step. */
  failure: { exception_type: string; exception_message: string } | null
  checkpoints: string[]
  vaes: string[]
  upscalers: string[]
  loras: string[]
  /** What is sent instead of a message, in this order. */
  tamper: (message: { type: string; data: object } | Uint8Array) => ({ type: string; data: object } | Uint8Array | string)[]
  /** Between the connection of a WebSocket and the first `status`. */
  greetAfterMs: number
  /** How `/ws` is answered. `mute` upgrades and says nothing; `ignore` does not even answer. */
  socket: 'normal' | 'refuse' | 'mute' | 'ignore'
  /** Answers a request in another way; false where it does not. */
  intercept: (path: string, response: ServerResponse, body: unknown) => boolean | Promise<boolean>
  /** Called between two steps; the sampler waits for it. */
  onStep: (step: number) => unknown
}

const normal = (): ComfyuiScript => ({
  modern: true,
  stepMs: 2,
  historyDelayMs: 0,
  failure: null,
  checkpoints: ['anything.safetensors', 'sd15/model-b.ckpt'],
  vaes: ['vae-ft.pt'],
  upscalers: [],
  loras: ['styles/Ink.safetensors', 'film.safetensors'],
  tamper: (message) => [message],
  greetAfterMs: 0,
  socket: 'normal',
  intercept: () => false,
  onStep: () => {},
})

interface Prompt {
  readonly number: number
  readonly id: string
  readonly graph: ComfyGraph
  readonly extra: { client_id?: string; preview_method?: string }
}

interface PromptBody {
  readonly prompt?: ComfyGraph
  readonly client_id?: string
  readonly prompt_id?: string
  readonly extra_data?: Prompt['extra']
}

class Interrupted extends Error {}

/**
 * A ComfyUI without a model, for tests: real HTTP, a real WebSocket with binary frames, one prompt at a time. Order and oddities
 * as measured on 0.8.0 and read in 0.3.64.
 */
export class ScriptedComfyui {
  readonly script: ComfyuiScript
  /** Every request: `POST /prompt`, … */
  /** What was uploaded, by the name that it got. */
  readonly uploads = new Map<string, Buffer>()
  readonly heard: { line: string; body: unknown; authorization: string | undefined }[] = []
  /** Ids in the order in which they were executed. */
  readonly executed: string[] = []
  /** What came over WebSockets. */
  readonly told: string[] = []
  #server: Server | undefined
  #port = 0
  #sockets = new Map<string, WebSocketConnection>()
  #connections = new Set<WebSocketConnection | Duplex>()
  #wantsMetadata = new Set<string>()
  #pending: Prompt[] = []
  #running: Prompt | null = null
  #history = new Map<string, object>()
  #cache = new Map<string, { node: string; images: object[] }>()
  #files = new Map<string, Buffer>()
  #interrupting = false
  #node: string | null = null
  #count = 0
  #life = new AbortController()

  constructor(script: Partial<ComfyuiScript> = {}) {
    this.script = { ...normal(), ...script }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get connections(): number {
    return this.#sockets.size
  }

  get queue(): { running: string | null; pending: string[] } {
    return { running: this.#running?.id ?? null, pending: this.#pending.map(({ id }) => id) }
  }

  lines(part: string): number {
    return this.heard.filter(({ line }) => line.startsWith(part)).length
  }

  /** Starts, or starts anew after `die`, on the same port: with nothing in queue, history or cache. */
  async start(port = this.#port): Promise<this> {
    this.#life = new AbortController()
    this.#server = createServer((request, response) => void this.#answer(request, response).catch(() => response.destroy()))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    const listening = Promise.withResolvers<void>()
    this.#server.once('error', listening.reject).listen(port, '127.0.0.1', listening.resolve)
    await listening.promise
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** As a process that is killed: every connection breaks, and everything is forgotten. */
  async die(): Promise<void> {
    this.#life.abort()
    this.dropSockets()
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
    this.#pending = []
    this.#running = null
    this.#history.clear()
    this.#cache.clear()
    this.#interrupting = false
    this.#node = null
  }

  dropSockets(): void {
    for (const connection of this.#connections) connection.destroy()
    this.#connections.clear()
  }

  /** As somebody who tidies up the folders. */
  removeFiles(): void {
    this.#files.clear()
  }

  /** As somebody else does in the browser: posts a prompt of its own. */
  postForeign(graph: ComfyGraph): string {
    return this.#put({ prompt: graph, client_id: 'somebody' })
  }

  removePending(id: string): void {
    this.#pending = this.#pending.filter((one) => one.id !== id)
    this.#tellStatus()
  }

  /** As the button in the browser. */
  interrupt(): void {
    this.#interrupting = true
  }

  send(clientId: string | null, type: string, data: object): void {
    this.#tell(clientId, { type, data })
  }

  /** Raw text or bytes to every client. */
  sendRubbish(rubbish: string | Uint8Array): void {
    for (const socket of this.#sockets.values()) {
      if (typeof rubbish === 'string') socket.send(rubbish)
      else socket.sendBinary(rubbish)
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '', this.url)
    this.heard.push({ line: `WS ${url.pathname}`, body: null, authorization: request.headers.authorization })
    socket.on('error', () => {})
    this.#connections.add(socket)
    if (this.script.socket === 'ignore') return
    if (this.script.socket === 'refuse' || url.pathname !== '/ws') {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      return
    }
    const id = url.searchParams.get('clientId') || randomUUID()
    // The handler's `finally`: it takes away whoever has the id now.
    const onClose = () => this.#sockets.delete(id)
    const onText = (text: string) => {
      this.told.push(text)
      if (text.includes('"supports_preview_metadata":true')) this.#wantsMetadata.add(id)
    }
    const connection = new WebSocketConnection(request, socket, head, { onText, onClose })
    this.#connections.add(connection)
    this.#sockets.set(id, connection)
    if (this.script.socket === 'mute') return
    if (this.script.greetAfterMs > 0) setTimeout(() => this.#greet(id), this.script.greetAfterMs)
    else this.#greet(id)
  }

  #greet(id: string): void {
    this.heard.push({ line: 'WS greeted', body: null, authorization: undefined })
    this.#tell(id, { type: 'status', data: { status: this.#queueInfo(), sid: id } })
    // Without a prompt_id.
    if (this.#running?.extra.client_id === id && this.#node !== null)
      this.#tell(id, { type: 'executing', data: { node: this.#node } })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const url = new URL(request.url ?? '', this.url)
    const line = `${request.method} ${url.pathname}`
    const { origin, host, authorization } = request.headers
    const body = parsed(text)
    this.heard.push({ line, body, authorization })
    if (await this.script.intercept(line, response, body)) return
    if (origin !== undefined && new URL(origin).host !== host) return void response.writeHead(403).end()
    if (line === 'POST /prompt') return this.#post(response, text)
    if (line === 'POST /upload/image')
      return await this.#upload(response, Buffer.concat(chunks), request.headers['content-type'] ?? '')
    if (line === 'GET /queue') return json(response, this.#queueAnswer())
    if (line === 'POST /queue') {
      for (const id of (body as { delete?: string[] }).delete ?? []) this.removePending(id)
      return void response.writeHead(200).end()
    }
    if (line === 'POST /interrupt') {
      const wanted = (body as { prompt_id?: string } | null)?.prompt_id
      if (!this.script.modern || wanted === undefined || wanted === this.#running?.id) this.#interrupting = true
      return void response.writeHead(200).end()
    }
    const [, route = '', name = ''] = url.pathname.split('/')
    if (route === 'history') return json(response, this.#history.has(name) ? { [name]: this.#history.get(name) } : {})
    if (route === 'object_info') return json(response, this.#objectInfo(name))
    if (line === 'GET /system_stats') return json(response, { system: { comfyui_version: '0.8.0' }, devices: [] })
    const file = route === 'view' ? this.#files.get(url.searchParams.get('filename') ?? '') : undefined
    if (file !== undefined) return void response.writeHead(200, { 'content-type': 'image/png' }).end(file)
    response.writeHead(404, { 'content-type': 'text/plain' }).end('404: Not Found')
  }

  /** Under another name than the one asked for, as where that is taken. */
  async #upload(response: ServerResponse, bytes: Buffer<ArrayBuffer>, type: string): Promise<void> {
    const form = await new Response(bytes, { headers: { 'content-type': type } }).formData()
    const image = form.get('image') as File
    const name = `1-${image.name}`
    this.uploads.set(name, Buffer.from(await image.arrayBuffer()))
    json(response, { name, subfolder: form.get('subfolder') ?? '', type: form.get('type') ?? 'input' })
  }

  #post(response: ServerResponse, text: string): unknown {
    const body = parsed(text) as PromptBody | undefined
    if (body === undefined) return void response.writeHead(500, { 'content-type': 'text/plain' }).end('500 Internal Server Error')
    const refuse = (type: string, message: string, node_errors: object = {}) =>
      json(response, { error: { type, message, details: '', extra_info: {} }, node_errors }, 400)
    if (body.prompt === undefined) return refuse('no_prompt', 'No prompt provided')
    const outputs = Object.values(body.prompt).filter(({ class_type }) => /^(Save|Preview)Image/.test(class_type))
    if (outputs.length === 0) return refuse('prompt_no_outputs', 'Prompt has no outputs')
    const wrong = invalidNodes(body.prompt, this.script)
    if (wrong !== null) return refuse('prompt_outputs_failed_validation', 'Prompt outputs failed validation', wrong)
    json(response, { prompt_id: this.#put(body), number: this.#count, node_errors: {} })
  }

  #put({ prompt, client_id, prompt_id, extra_data }: PromptBody): string {
    const id = this.script.modern && prompt_id !== undefined ? prompt_id : randomUUID()
    const extra = { ...extra_data, ...(client_id === undefined ? {} : { client_id }) }
    this.#pending.push({ number: this.#count++, id, graph: prompt ?? {}, extra })
    this.#tellStatus()
    if (this.#running === null && this.#pending.length === 1) void this.#work(this.#life.signal)
    return id
  }

  async #work(life: AbortSignal): Promise<void> {
    // After the answer to the posting, or before: the order is not sure.
    await sleep(1)
    while (!life.aborted && this.#pending.length > 0) {
      this.#running = this.#pending.shift()!
      await this.#execute(this.#running, life)
    }
  }

  async #execute(prompt: Prompt, life: AbortSignal): Promise<void> {
    const { id, graph, extra } = prompt
    const client = extra.client_id ?? null
    const messages: [string, object][] = []
    const say = (type: string, data: object) => {
      messages.push([type, { prompt_id: id, ...data }])
      this.#tell(client, { type, data: { prompt_id: id, ...data } })
    }
    this.#interrupting = false
    this.executed.push(id)
    const outputs: Record<string, object> = {}
    let error = false
    say('execution_start', {})
    try {
      const known = this.#cache.get(JSON.stringify(graph))
      say('execution_cached', { nodes: known === undefined ? [] : Object.keys(graph) })
      const made = known ?? (await this.#make(prompt, client, life))
      if (made !== null) {
        outputs[made.node] = { images: made.images }
        this.#tell(client, { type: 'executed', data: { prompt_id: id, node: made.node, output: outputs[made.node] } })
        this.#cache.set(JSON.stringify(graph), made)
      }
      say('execution_success', {})
    } catch (thrown) {
      error = true
      const about = { node_id: this.#node, node_type: graph[this.#node ?? '']?.class_type, executed: [] }
      if (thrown instanceof Interrupted) say('execution_interrupted', about)
      else say('execution_error', { ...about, ...this.script.failure, traceback: ['  File "…"'] })
    }
    this.#node = null
    await sleep(this.script.historyDelayMs)
    if (life.aborted) return
    const status = { status_str: error ? 'error' : 'success', completed: !error, messages }
    this.#history.set(id, { prompt: [prompt.number, id, graph, extra, []], outputs, status, meta: {} })
    this.#running = null
    // After the history, and not before.
    if (client !== null) this.#tell(client, { type: 'executing', data: { node: null, prompt_id: id } })
    this.#tellStatus()
  }

  async #make({ id, graph, extra }: Prompt, client: string | null, life: AbortSignal) {
    for (const [node, { class_type, inputs }] of Object.entries(graph)) {
      this.#node = node
      this.#tell(client, { type: 'executing', data: { node, display_node: node, prompt_id: id } })
      if (!samplersOf(graph).includes(node)) continue
      const max = Number(inputs.steps)
      for (let value = 1; value <= max; value++) {
        await sleep(this.script.stepMs, undefined, { signal: life }).catch(() => {})
        await this.script.onStep(value)
        if (life.aborted || this.#interrupting) throw new Interrupted()
        if (this.script.failure !== null && value === 2) throw new Error(class_type)
        this.#tell(client, {
          type: 'progress_state',
          data: { prompt_id: id, nodes: { [node]: { value, max, state: 'running' } } },
        })
        this.#tell(client, { type: 'progress', data: { value, max, prompt_id: id, node } })
        if (extra.preview_method !== undefined && client !== null) await this.#preview(client, node, id)
      }
    }
    const node = Object.keys(graph).find((one) => /^(Save|Preview)Image/.test(graph[one]!.class_type))!
    const { png, type } = await pictureFor(graph, node)
    if (graph[node]!.class_type === 'SaveImageWebsocket') {
      this.#node = node
      if (client !== null) this.#tell(client, plainFrame(2, png))
      return null
    }
    const filename = `ComfyUI_${type}_${String(this.#files.size + 1).padStart(5, '0')}_.png`
    this.#files.set(filename, png)
    return { node, images: [{ filename, subfolder: '', type }] }
  }

  async #preview(client: string, node: string, id: string): Promise<void> {
    const jpeg = await previewJpeg()
    const frame = this.#wantsMetadata.has(client)
      ? metadataFrame({ node_id: node, prompt_id: id, image_type: 'image/jpeg' }, jpeg)
      : plainFrame(1, jpeg)
    this.#tell(client, frame)
  }

  #tellStatus(): void {
    this.#tell(null, { type: 'status', data: { status: this.#queueInfo() } })
  }

  /** To one client, or to all. */
  #tell(client: string | null, message: { type: string; data: object } | Uint8Array): void {
    const sockets = client === null ? [...this.#sockets.values()] : [this.#sockets.get(client)]
    for (const one of this.script.tamper(message)) {
      for (const socket of sockets) {
        if (one instanceof Uint8Array) socket?.sendBinary(one)
        else socket?.send(typeof one === 'string' ? one : JSON.stringify(one))
      }
    }
  }

  #queueInfo(): object {
    return { exec_info: { queue_remaining: this.#pending.length + (this.#running === null ? 0 : 1) } }
  }

  #queueAnswer(): object {
    const item = ({ number, id, graph, extra }: Prompt) => [number, id, graph, extra, []]
    return { queue_running: this.#running === null ? [] : [item(this.#running)], queue_pending: this.#pending.map(item) }
  }

  #objectInfo(name: string): object {
    const { checkpoints, loras, vaes, upscalers } = this.script
    const inputs: Record<string, object> = {
      CheckpointLoaderSimple: { ckpt_name: [checkpoints] },
      LoraLoader: { lora_name: ['COMBO', { options: loras }] },
      KSampler: { sampler_name: [['euler', 'euler_ancestral']], scheduler: [['normal', 'karras']] },
      UpscaleModelLoader: { model_name: [upscalers] },
      VAELoader: { vae_name: [vaes] },
    }
    return name in inputs ? { [name]: { input: { required: inputs[name] } } } : {}
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
