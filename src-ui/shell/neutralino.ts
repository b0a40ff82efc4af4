import { app, events, init, window as nativeWindow, os } from '@neutralinojs/lib'
import type { Connected, Shell } from './shell.ts'

const extensionId = 'app.stablenew.sidecar'
const startMs = 60_000
const silenceMs = 2000
const closeMs = 35_000
const storageKey = 'stablenew.sidecar'

interface Sidecar extends Connected {
  /** Neutralino's number for the process. */
  readonly id: number
}

type ProcessEvent = { id: number; action: 'stdOut' | 'stdErr' | 'exit'; data: string }
type ProcessListener = (event: ProcessEvent) => void

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** All that the processes below the window have said until the sidecar was found; it may speak before its number is known. */
const heard: ProcessEvent[] = []
const listeners = new Set<ProcessListener>()
let sidecar: Sidecar | null = null
let sidecarGone = false
let restarting = false
let ending = false

/** Hears everything of one process, what it said before included. Returns a function that ends it. */
function listen(id: number, listener: ProcessListener): () => void {
  const own: ProcessListener = (event) => {
    if (event.id === id) listener(event)
  }
  heard.forEach(own)
  listeners.add(own)
  return () => void listeners.delete(own)
}

interface SidecarProgram {
  readonly node: string
  readonly program: string
  readonly args: readonly string[]
}

/** The launcher's word on which Node runs the sidecar, and with what. */
function sidecarCommand(): string {
  const packed = window.NL_ARGS.find((arg) => arg.startsWith('--sidecar='))?.slice('--sidecar='.length)
  const { node, program, args } = packed ? (JSON.parse(decodeURIComponent(packed)) as SidecarProgram) : packagedSidecar()
  const words = [node, '--disable-warning=ExperimentalWarning', program]
  const all = [...words, '--host-lines', '--shell', 'neutralino', ...args]
  // cmd.exe takes double quotes; for sh, `exec` makes the sidecar the window's own child, without a shell between.
  if (window.NL_OS === 'Windows') return all.map((word) => `"${word.replaceAll('"', '')}"`).join(' ')
  return `exec ${all.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`
}

/** Where it lies in the package, whose window may be started without the launcher. */
function packagedSidecar(): SidecarProgram {
  const node = window.NL_OS === 'Windows' ? 'node.exe' : 'node'
  return { node: `${window.NL_PATH}/runtime/${node}`, program: `${window.NL_PATH}/sidecar/main.js`, args: [] }
}

/** The URL and token that the sidecar says on its stdout; rejects when it ends or says nothing in time. */
function whereItIs(id: number, withinMs: number): Promise<Sidecar> {
  return new Promise((resolve, reject) => {
    let out = ''
    let said = ''
    const end = (finish: () => void) => {
      clearTimeout(timer)
      queueMicrotask(() => unlisten())
      finish()
    }
    const timer = setTimeout(() => end(() => reject(new Error(`StableNew did not start within ${withinMs / 1000} s.`))), withinMs)
    const onLine = (line: string) => {
      const message = line.startsWith('{"stablenew"') ? JSON.parse(line) : null
      if (message?.stablenew === 'ready') {
        end(() => resolve({ id, baseUrl: `http://127.0.0.1:${message.port}`, token: message.token }))
      } else if (message?.stablenew === 'notice') said = message.message
    }
    const unlisten = listen(id, ({ action, data }) => {
      if (action === 'exit') {
        // 0 before it was ready: another StableNew runs with these data, and has come to the front.
        if (Number(data) === 0) void app.exit(0)
        end(() => reject(new Error(said || `StableNew's sidecar ended at its start (exit code ${data}).`)))
      } else if (action === 'stdErr') said = data.trim().split('\n').at(-1) || said
      else {
        const lines = (out + data).split('\n')
        out = lines.pop() ?? ''
        lines.forEach(onLine)
      }
    })
  })
}

/** A sidecar that can't be asked any more ends with its stdin, and leaves the window alone then. There is never a second one. */
async function endSidecar(id: number): Promise<void> {
  await os.updateSpawnedProcess(id, 'stdInEnd').catch(() => {})
  const deadline = Date.now() + closeMs
  while ((await os.getSpawnedProcesses()).some((one) => one.id === id)) {
    if (Date.now() > deadline) throw new Error(`The former sidecar did not end within ${closeMs / 1000} s. Close the window.`)
    await pause(100)
  }
}

/** The sidecar that a former page of this window has started, or null. Nothing else is ever spawned here. */
async function adopt(): Promise<Sidecar | null> {
  const [running] = await os.getSpawnedProcesses()
  if (!running) return null
  const stored = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Sidecar | null
  if (stored?.id === running.id) return stored
  try {
    // It may still wait for a handshake; a second one it passes over. Where it is, it says again to every page that comes.
    await shakeHands(running.id)
    return await whereItIs(running.id, startMs)
  } catch {
    await endSidecar(running.id)
    return null
  }
}

async function startSidecar(): Promise<Sidecar> {
  // Of one that has gone; Neutralino gives its number away again.
  sessionStorage.removeItem(storageKey)
  const { id } = await os.spawnProcess(sidecarCommand())
  await shakeHands(id)
  return whereItIs(id, startMs)
}

/** Its stdin stays open after this line: the end of this window is how it knows that nobody is there any more. */
async function shakeHands(id: number): Promise<void> {
  // A page that was loaded again has the token from the library.
  const nlToken = window.NL_TOKEN || sessionStorage.getItem('NL_TOKEN') || ''
  const [, nlConnectToken] = nlToken.split('.')
  const handshake = { nlPort: window.NL_PORT, nlToken, nlConnectToken, nlExtensionId: extensionId, origin: location.origin }
  await os.updateSpawnedProcess(id, 'stdIn', `${JSON.stringify(handshake)}\n`)
}

/** Whether the sidecar answers anything at all. */
async function answers({ baseUrl, token }: Sidecar): Promise<boolean> {
  try {
    await fetch(`${baseUrl}/api/status`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(1000) })
    return true
  } catch {
    return false
  }
}

/** The sidecar ends the window last, when it has closed. Whoever is alive must be able to end it: silence is not waited for. */
async function endWhenSilent(): Promise<void> {
  if (ending) return
  ending = true
  const deadline = Date.now() + closeMs
  let silentAt = Date.now() + silenceMs
  while (sidecar && !sidecarGone && Date.now() < Math.min(silentAt, deadline)) {
    if (await answers(sidecar)) silentAt = Date.now() + silenceMs
    await pause(250)
  }
  await app.exit(0)
}

async function connect(): Promise<Connected> {
  const ready = new Promise<void>((resolve) => void events.on('ready', () => resolve()))
  await events.on('spawnedProcess', ({ detail }) => {
    if (!sidecar) heard.push(detail)
    for (const listener of listeners) listener(detail)
  })
  await events.on('windowClose', () => void endWhenSilent())
  await events.on('sidecarClosing', () => void endWhenSilent())
  // The sidecar serves the tray.
  await events.on('trayMenuItemClicked', ({ detail }) => {
    if (detail.id === 'quit') void endWhenSilent()
    else if (detail.id === 'show' && sidecarGone) front()
  })
  init()
  await ready
  sidecar = (await adopt()) ?? (await startSidecar())
  sessionStorage.setItem(storageKey, JSON.stringify(sidecar))
  listen(sidecar.id, ({ action, data }) => {
    if (action !== 'exit') return
    sidecarGone = true
    // After a crash the page stays and offers a restart; closing it ends the window.
    if (Number(data) === 0 && !restarting) void app.exit(0)
  })
  heard.length = 0
  return sidecar
}

/** By a page that is loaded again: it finds no sidecar and starts one. */
async function restart(): Promise<void> {
  restarting = true
  if (sidecar && !sidecarGone) await endSidecar(sidecar.id)
  location.reload()
}

function front(): void {
  void nativeWindow.show()
  void nativeWindow.unminimize()
  void nativeWindow.focus()
}

/** The Neutralino window: its page starts the sidecar and holds its stdin open. */
export const neutralinoShell: Shell = {
  kind: 'neutralino',
  connect,
  openFolder: (path) => os.open(path),
  restart,
  front,
  exitWindow() {
    void app.exit(0)
  },
}
