import { once } from 'node:events'
import { createRequire } from 'node:module'
import { vi } from 'vitest'
import type { Connected, Shell } from '../../src-ui/shell/shell.ts'
import { mainProgram, projectFolder } from './sidecar.ts'

export interface WindowGlobals {
  readonly port: number
  readonly token: string
  readonly sidecarArgs: readonly string[]
}

export interface Page {
  readonly shell: Shell
  readonly connected: Promise<Connected>
  /** How often it asked to be loaded again. */
  readonly reloads: () => number
  /** Gone, as by a reload or a crash. */
  unload(): Promise<void>
}

const require = createRequire(import.meta.url)
const NodeSocket = WebSocket
const storage = new Map<string, string>()

/** For another window: what pages store is forgotten. */
export const forgetPages = (): void => storage.clear()

/**
 * Runs the UI's own code for the Neutralino window, with as much of a browser around it as that needs. One page at a time.
 * @param mute calls that are lost, as when the page goes just before.
 */
export async function loadPage({ port, token, sidecarArgs }: WindowGlobals, mute?: RegExp): Promise<Page> {
  const sockets: WebSocket[] = []
  let reloads = 0
  class PageSocket extends NodeSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
    override send(data: string): void {
      if (!mute?.test(data)) super.send(data)
    }
  }
  const isFirst = !storage.has('NL_TOKEN')
  const page = Object.assign(new EventTarget(), {
    NL_PORT: port,
    // Neutralino gives it to the first page only.
    NL_TOKEN: isFirst ? token : '',
    NL_OS: process.platform === 'win32' ? 'Windows' : 'Linux',
    NL_PATH: projectFolder.replace(/[\\/]$/, ''),
    NL_EXTENABLED: true,
    NL_GINJECTED: true,
    NL_ARGS: [
      `--sidecar=${encodeURIComponent(JSON.stringify({ node: process.execPath, program: mainProgram, args: sidecarArgs }))}`,
    ],
    location: { hostname: '127.0.0.1' },
  })
  vi.stubGlobal('window', page)
  vi.stubGlobal('WebSocket', PageSocket)
  vi.stubGlobal('location', { origin: `http://127.0.0.1:${port}`, reload: () => reloads++ })
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => storage.set(key, value),
    removeItem: (key: string) => storage.delete(key),
  })
  vi.stubGlobal('document', { body: { replaceChildren() {}, appendChild() {} }, createElement: () => ({}) })
  vi.resetModules()
  // The library begins once in its life, which is a page's.
  delete require.cache[require.resolve('@neutralinojs/lib')]
  vi.doMock('@neutralinojs/lib', () => require('@neutralinojs/lib'))
  const { neutralinoShell } = await import('../../src-ui/shell/neutralino.ts')
  const connected = neutralinoShell.connect()
  connected.catch(() => {})
  return {
    shell: neutralinoShell,
    connected,
    reloads: () => reloads,
    unload: async () => {
      for (const socket of sockets.filter(({ readyState }) => readyState !== WebSocket.CLOSED)) {
        const closed = once(socket, 'close')
        socket.close()
        await closed
      }
    },
  }
}
