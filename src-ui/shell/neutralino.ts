import { app, events, init, window as nativeWindow, os } from '@neutralinojs/lib'
import type { Connected, Shell } from './shell.ts'

const extensionId = 'app.stablenew.sidecar'
const startMs = 60_000
/** How long a sidecar that a former page started may take to say where it is; it says so once. */
const adoptMs = 5000
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

/** All that the processes below the window have said since this page came; a process may speak before its number is known. */
const heard: ProcessEvent[] = []
const listeners = new Set<ProcessListener>()
let sidecar: Sidecar | null = null
let sidecarGone = false

/** Hears everything of one process, what it said before included. Returns a function that ends it. */
function listen(id: number, listener: ProcessListener): () => void {
  const own: ProcessListener = (event) => {
    if (event.id === id) listener(event)
  }
  heard.forEach(own)
  listeners.add(own)
  return () => void listeners.delete(own)
}

/** The launcher's word on which Node runs the sidecar, and with what. */
function sidecarCommand(): string {
  const packed = window.NL_ARGS.find((arg) => arg.startsWith('--sidecar='))?.slice('--sidecar='.length)
  const { node, args } = packed ? (JSON.parse(decodeURIComponent(packed)) as { node: string; args: string[] }) : packagedNode()
  const words = [node, '--disable-warning=ExperimentalWarning', `${window.NL_PATH}/src-sidecar/main.ts`]
  const all = [...words, '--host-lines', '--shell', 'neutralino', ...args]
  // cmd.exe takes double quotes; for sh, `exec` makes the sidecar the window's own child, without a shell between.
  if (window.NL_OS === 'Windows') return all.map((word) => `"${word.replaceAll('"', '')}"`).join(' ')
  return `exec ${all.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`
}

/** Where Node lies when nobody tells. */
function packagedNode(): { node: string; args: string[] } {
  const system = { Windows: 'win', Darwin: 'darwin' }[String(window.NL_OS)] ?? 'linux'
  const cpu = String(window.NL_ARCH) === 'x64' ? 'x64' : 'arm64'
  return { node: `${window.NL_PATH}/node_modules/node-${system}-${cpu}/bin/node${system === 'win' ? '.exe' : ''}`, args: [] }
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

/** The sidecar of a former page of this window, or null. One that can't be asked any more is ended first: there is never a second one. */
async function adopt(): Promise<Sidecar | null> {
  const running = await os.getSpawnedProcesses()
  const stored = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Partial<Sidecar> | null
  const known = running.find(({ id }) => id === stored?.id)
  if (!known) return null
  if (stored?.baseUrl) return stored as Sidecar
  try {
    return await whereItIs(known.id, adoptMs)
  } catch {
    await os.updateSpawnedProcess(known.id, 'stdInEnd').catch(() => {})
    const deadline = Date.now() + closeMs
    while ((await os.getSpawnedProcesses()).some(({ id }) => id === known.id)) {
      if (Date.now() > deadline) throw new Error(`The former sidecar did not end within ${closeMs / 1000} s. Close the window.`)
      await pause(100)
    }
    return null
  }
}

async function startSidecar(): Promise<Sidecar> {
  const { id } = await os.spawnProcess(sidecarCommand())
  sessionStorage.setItem(storageKey, JSON.stringify({ id }))
  const [, nlConnectToken] = window.NL_TOKEN.split('.')
  const handshake = {
    nlPort: window.NL_PORT,
    nlToken: window.NL_TOKEN,
    nlConnectToken,
    nlExtensionId: extensionId,
    origin: location.origin,
  }
  // Its stdin stays open: the end of this window is how it knows that nobody is there any more.
  await os.updateSpawnedProcess(id, 'stdIn', `${JSON.stringify(handshake)}\n`)
  return whereItIs(id, startMs)
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

/** The sidecar hears of the closing too and ends the window last. Whoever is alive must be able to end it. */
async function onWindowClose(): Promise<void> {
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
    heard.push(detail)
    for (const listener of listeners) listener(detail)
  })
  await events.on('windowClose', () => void onWindowClose())
  init()
  await ready
  sidecar = (await adopt()) ?? (await startSidecar())
  sessionStorage.setItem(storageKey, JSON.stringify(sidecar))
  heard.length = 0
  listen(sidecar.id, ({ action, data }) => {
    if (action !== 'exit') return
    sidecarGone = true
    // After a crash the page stays and says so; closing it ends the window.
    if (Number(data) === 0) void app.exit(0)
  })
  return sidecar
}

/** The Neutralino window: its page starts the sidecar and holds its stdin open. */
export const neutralinoShell: Shell = {
  kind: 'neutralino',
  connect,
  openFolder: (path) => os.open(path),
  front() {
    void nativeWindow.show()
    void nativeWindow.unminimize()
    void nativeWindow.focus()
  },
  exitWindow() {
    void app.exit(0)
  },
}
