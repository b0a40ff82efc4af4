import { randomUUID } from 'node:crypto'
import { z } from 'zod'

const silenceMs = 2000
const closeMs = 35_000
const pollMs = 250

const messageSchema = z.object({
  id: z.string().optional(),
  event: z.string().optional(),
  data: z.unknown().optional(),
})
const processEventSchema = z.object({ id: z.number(), action: z.string(), data: z.union([z.string(), z.number()]) })
const readySchema = z.object({ stablenew: z.literal('ready'), port: z.number(), token: z.string() })
type Sidecar = z.infer<typeof readySchema>

export interface StandInPageOptions {
  readonly port: number
  readonly token: string
  readonly connectToken: string
  readonly extensionId: string
  /** Starts the sidecar. */
  readonly command: string
  /** Told whenever a page knows where the sidecar is. */
  readonly onReady: () => void
}

/**
 * What the window's page does, `src-ui/shell/neutralino.ts`, without a web view: it starts the sidecar once, finds it again
 * after a reload, and ends the window when the sidecar has ended well, or neither ends nor answers when it should close.
 */
export class StandInPage {
  readonly #options: StandInPageOptions
  readonly #calls = new Map<string, (value: unknown) => void>()
  #socket: WebSocket | undefined
  #said = ''
  #sidecar: Sidecar | null = null
  #ended = false
  #watching = false

  constructor(options: StandInPageOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    const { port, token, connectToken, extensionId, command } = this.#options
    const socket = new WebSocket(`ws://127.0.0.1:${port}?connectToken=${connectToken}`)
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)))
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const running = z.array(z.unknown()).parse(await this.#call('os.getSpawnedProcesses'))
    if (running.length > 0) return
    const { id } = z.object({ id: z.number() }).parse(await this.#call('os.spawnProcess', { command }))
    const origin = `http://127.0.0.1:${port}`
    const handshake = { nlPort: port, nlToken: token, nlConnectToken: connectToken, nlExtensionId: extensionId, origin }
    await this.#call('os.updateSpawnedProcess', { id, event: 'stdIn', data: `${JSON.stringify(handshake)}\n` })
  }

  /** The page is gone from one moment to the next; nobody hears what is said then. */
  close(): void {
    this.#socket?.close()
  }

  #call(method: string, data: object = {}): Promise<unknown> {
    const id = randomUUID()
    return new Promise((resolve) => {
      this.#calls.set(id, resolve)
      this.#socket?.send(JSON.stringify({ id, method, accessToken: this.#options.token, data }))
    })
  }

  #receive(text: string): void {
    const { id, event, data } = messageSchema.parse(JSON.parse(text))
    if (id !== undefined) this.#calls.get(id)?.((data as { returnValue?: unknown }).returnValue)
    else if (event === 'spawnedProcess') this.#hear(processEventSchema.parse(data))
    else if (event === 'windowClose' || event === 'sidecarClosing') void this.#endWhenSilent()
    else if (event === 'trayMenuItemClicked' && (data as { id?: string }).id === 'quit') void this.#endWhenSilent()
  }

  #hear({ action, data }: z.infer<typeof processEventSchema>): void {
    if (action === 'exit') {
      this.#ended = true
      if (data === 0) void this.#call('app.exit', { code: 0 })
    } else if (action === 'stdOut') {
      const lines = (this.#said + data).split('\n')
      this.#said = lines.pop() ?? ''
      for (const line of lines.filter((one) => one.startsWith('{"stablenew":"ready"')))
        this.#ready(readySchema.parse(JSON.parse(line)))
    }
  }

  #ready(sidecar: Sidecar): void {
    if (this.#sidecar === null) this.#options.onReady()
    this.#sidecar = sidecar
  }

  async #endWhenSilent(): Promise<void> {
    if (this.#watching) return
    this.#watching = true
    const deadline = performance.now() + closeMs
    let silentAt = performance.now() + silenceMs
    while (!this.#ended && performance.now() < Math.min(silentAt, deadline)) {
      if (await this.#answers()) silentAt = performance.now() + silenceMs
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
    await this.#call('app.exit', { code: 0 })
  }

  async #answers(): Promise<boolean> {
    if (this.#sidecar === null) return false
    const { port, token } = this.#sidecar
    const headers = { authorization: `Bearer ${token}` }
    return await fetch(`http://127.0.0.1:${port}/api/status`, { headers, signal: AbortSignal.timeout(1000) }).then(
      () => true,
      () => false,
    )
  }
}
