import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocketConnection } from '../../src-sidecar/selftest/web-socket.ts'
import { NeutralinoShell } from '../../src-sidecar/shell/neutralino-shell.ts'
import { waitFor } from '../helpers/wait-for.ts'

/** Neutralino's socket; by default it closes on `app.exit`. */
class Window {
  readonly calls: { method: string; accessToken: string; data: unknown }[] = []
  readonly requests: string[] = []
  onCall = (method: string) => {
    if (method === 'app.exit') this.drop()
  }
  refuses = false
  open = false
  #connection: WebSocketConnection | undefined
  readonly #server = createServer()

  async start(): Promise<number> {
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head)).listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.drop()
    this.#server.close()
    await once(this.#server, 'close')
  }

  send(message: object): void {
    this.#connection?.send(JSON.stringify(message))
  }

  drop(): void {
    this.#connection?.destroy()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.requests.push(request.url!)
    if (this.refuses) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
    this.open = true
    const onClose = () => {
      this.open = false
    }
    this.#connection = new WebSocketConnection(request, socket, head, { onText: (text) => this.#answer(text), onClose })
  }

  #answer(text: string): void {
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
let pages: number
let paused: boolean
const force = new AbortController().signal
const stop = () => shell.stop({ trigger: 'exit-button' }, force)
const callsOf = (method: string) => window.calls.filter((call) => call.method === method)

beforeEach(async () => {
  window = new Window()
  port = await window.start()
  closedBy = []
  origins = []
  pages = 0
  paused = false
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
    onPage: () => pages++,
    isPaused: () => paused,
    setPaused: (now) => {
      paused = now
      void shell.updateTray()
    },
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
  window.drop()
  expect(await shell.closed).toEqual({ name: 'Neutralino window' })
  expect(closedBy).toEqual(['shell-gone'])
  await stop()
})

test('stop ends the window with the access token and waits for the end of its socket; no close is reported', async () => {
  await shell.start(force)
  await Promise.all([stop(), stop()])
  expect(callsOf('app.exit')).toMatchObject([{ accessToken: 'a.b', data: { code: 0 } }])
  await waitFor(() => !window.open, 'the end of the connection')
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
  expect(window.calls.map(({ method }) => method).filter((method) => method.startsWith('window.'))).toEqual([
    'window.show',
    'window.unminimize',
    'window.focus',
  ])
  await stop()
})

test('a window that ended our stdin and stays is left alone: it wants to go on with another sidecar', async () => {
  await shell.start(force)
  await shell.announceEnd({ trigger: 'stdin-eof' })
  await shell.stop({ trigger: 'stdin-eof' }, force)
  await waitFor(() => !window.open, 'the end of our connection')
  expect([...callsOf('app.exit'), ...callsOf('app.broadcast')]).toEqual([])
})

test('the page is told that the end has begun', async () => {
  await shell.start(force)
  await shell.announceEnd({ trigger: 'exit-button' })
  expect(callsOf('app.broadcast')).toMatchObject([{ data: { event: 'sidecarClosing' } }])
  await stop()
})

test('each page that comes is told where the sidecar is, also one that came before we had connected', async () => {
  await shell.start(force)
  expect(pages).toBe(1)
  window.send({ event: 'clientConnect', data: 2 })
  await waitFor(() => pages === 2, 'the second page')
  await stop()
})

test('the tray pauses and resumes the queue, and its menu follows', async () => {
  await shell.start(force)
  const labels = () => callsOf('os.setTray').map(({ data }) => (data as { menuItems: { text: string }[] }).menuItems[1]?.text)
  await waitFor(() => labels().length === 1, 'the tray')
  window.send({ event: 'trayMenuItemClicked', data: { id: 'pause' } })
  await waitFor(() => labels().length === 2, 'the new menu')
  expect(paused).toBe(true)
  await shell.updateTray()
  window.send({ event: 'trayMenuItemClicked', data: { id: 'resume' } })
  await waitFor(() => labels().length === 3, 'the old menu')
  expect(labels()).toEqual(['Pause queue', 'Resume queue', 'Pause queue'])
  await stop()
})

test('the tray shows the window and quits; a click on nothing known does nothing', async () => {
  await shell.start(force)
  for (const data of [{ id: 'nothing' }, null, { id: 'show' }]) window.send({ event: 'trayMenuItemClicked', data })
  await waitFor(() => callsOf('window.focus').length > 0, 'the focus')
  expect(closedBy).toEqual([])
  window.send({ event: 'trayMenuItemClicked', data: { id: 'quit' } })
  await waitFor(() => closedBy.length > 0, 'the end')
  expect(closedBy).toEqual(['tray-quit'])
  await stop()
})

test('a window that refuses makes the start fail, and stop has nothing to do', async () => {
  window.refuses = true
  await expect(shell.start(force)).rejects.toMatchObject({ code: 'unauthorized' })
  await stop()
  await shell.closed
})
