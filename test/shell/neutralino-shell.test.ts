import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NeutralinoShell } from '../../src-sidecar/shell/neutralino-shell.ts'
import { waitFor } from '../helpers/wait-for.ts'

/** As much of Neutralino's socket as the sidecar uses: text frames of less than 64 KB. */
class Window {
  readonly calls: { method: string; accessToken: string; data: unknown }[] = []
  readonly requests: string[] = []
  /** What it does on a native call; by default it exits on `app.exit`. */
  onCall = (method: string) => {
    if (method === 'app.exit') this.socket?.destroy()
  }
  refuses = false
  socket: Socket | undefined
  readonly #server = createServer()

  async start(): Promise<number> {
    this.#server.on('upgrade', (request, socket) => this.#upgrade(request, socket as Socket)).listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.socket?.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  send(message: object): void {
    const text = Buffer.from(JSON.stringify(message))
    const length = text.length < 126 ? [text.length] : [126, text.length >> 8, text.length & 255]
    this.socket?.write(Buffer.concat([Buffer.from([0x81, ...length]), text]))
  }

  #upgrade(request: IncomingMessage, socket: Socket): void {
    this.requests.push(request.url!)
    socket.on('error', () => {})
    if (this.refuses) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
    this.socket = socket
    const key = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
    )
    socket.on('data', (frame: Buffer) => this.#frame(frame))
  }

  #frame(frame: Buffer): void {
    if ((frame[0]! & 15) !== 1) return void this.socket?.destroy() // its closing frame
    const long = (frame[1]! & 127) === 126
    const mask = frame.subarray(long ? 4 : 2, long ? 8 : 6)
    const text = Buffer.from(frame.subarray(long ? 8 : 6).map((byte, index) => byte ^ mask[index % 4]!)).toString()
    const call = JSON.parse(text)
    this.calls.push(call)
    this.onCall(call.method)
    this.send({ id: call.id, method: call.method, data: { success: true } })
  }
}

let window: Window
let shell: NeutralinoShell
let port: number
let closedBy: string[]
let origins: string[]
const force = new AbortController().signal
const stop = () => shell.stop({ trigger: 'exit-button' }, force)

beforeEach(async () => {
  window = new Window()
  port = await window.start()
  closedBy = []
  origins = []
  shell = new NeutralinoShell({
    handshake: JSON.stringify({
      nlPort: port,
      nlToken: 'a.b',
      nlConnectToken: 'b',
      nlExtensionId: 'app.x',
      origin: `http://127.0.0.1:${port}`,
    }),
    logger: pino({ enabled: false }),
    allowOrigin: (origin) => origins.push(origin),
    onClose: (trigger) => closedBy.push(trigger),
  })
})
afterEach(() => window.stop())

test('it connects as the extension with the connect token, and lets the page of that very window in', async () => {
  await shell.start(force)
  expect(window.requests).toEqual(['/?extensionId=app.x&connectToken=b'])
  expect(origins).toEqual([`http://127.0.0.1:${port}`])
  await stop()
})

test('windowClose asks to end; other events and broken messages do not', async () => {
  await shell.start(force)
  for (const message of [{ event: 'windowFocus' }, { nothing: 1 }, ['x'], { id: 'unknown', data: {} }]) window.send(message)
  window.send({ event: 'windowClose', data: null })
  await waitFor(() => closedBy.length > 0, 'the close')
  expect(closedBy).toEqual(['window-close'])
  await stop()
})

test('a lost socket asks to end', async () => {
  await shell.start(force)
  window.socket?.destroy()
  expect(await shell.closed).toEqual({ name: 'Neutralino window' })
  expect(closedBy).toEqual(['shell-gone'])
  await stop()
})

test('stop ends the window with the access token and waits for the end of its socket; no close is reported', async () => {
  await shell.start(force)
  await Promise.all([stop(), stop()])
  expect(window.calls).toMatchObject([{ method: 'app.exit', accessToken: 'a.b', data: { code: 0 } }])
  expect(window.socket?.destroyed).toBe(true)
  expect(closedBy).toEqual([])
  await shell.closed
})

test('a window that does not exit is named after 2 s', async () => {
  window.onCall = () => {}
  await shell.start(force)
  await expect(stop()).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('end of the window') })
  await shell.closed
})

test('front shows, restores and focuses the window', async () => {
  await shell.start(force)
  await shell.front()
  expect(window.calls.map(({ method }) => method)).toEqual(['window.show', 'window.unminimize', 'window.focus'])
  await stop()
})

test('a window that refuses makes the start fail, and stop has nothing to do', async () => {
  window.refuses = true
  await expect(shell.start(force)).rejects.toMatchObject({ code: 'unauthorized' })
  await stop()
  await shell.closed
})
