import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { type LastShutdown, lastShutdownSchema } from '../../src-sidecar/contract/last-shutdown.ts'
import type { RunningSidecar } from './sidecar.ts'
import { type LiveProcess, liveDescendants } from './survivors.ts'
import { waitFor } from './wait-for.ts'

// Without vitest, so that the soak and the benches can use it too.
const mainProgram = fileURLToPath(new URL('../../src-sidecar/main.ts', import.meta.url))
const windowProgram = fileURLToPath(new URL('../../src-sidecar/selftest/neutralino-stand-in.ts', import.meta.url))
const env = { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' }

export interface LaunchOptions {
  readonly dataDir: string
  readonly args?: readonly string[]
  readonly nodeFlags?: readonly string[]
  /**
   * Starts it below a process of its own. `stdin` says what the sidecar's is: `endless` never ends, `launcher` ends with the
   * launcher. A `window` is the stand-in for Neutralino's, with a page.
   */
  readonly launcher?: { readonly stdin: 'endless' | 'launcher' } | 'window'
}

export interface LaunchedSidecar extends RunningSidecar {
  /** The sidecar itself, whoever its parent is. */
  readonly self: LiveProcess
  /** `child` is the launcher then. */
  readonly hasLauncher: boolean
}

/** Ends a launcher whose test is gone: nobody else would. */
export const endsWithItsParent = `const { ppid } = process; setInterval(() => process.ppid === ppid || process.exit(1), 200).unref()`

/** Passes on the sidecar's exit code as its own. */
const launcherScript = (line: readonly string[], stdin: 'inherit' | 'pipe') =>
  `${endsWithItsParent}
   require('node:child_process').spawn(process.execPath, ${JSON.stringify(line)}, { stdio: ['${stdin}', 'inherit', 'inherit'] })
   .on('exit', (code, signal) => process.exit(code ?? 128))`

/** Starts the program without waiting for anything. */
export function launch({ dataDir, args = [], nodeFlags = [], launcher }: LaunchOptions) {
  const quiet = '--disable-warning=ExperimentalWarning'
  const own = ['--data-dir', dataDir, ...args]
  const line = [quiet, ...nodeFlags, mainProgram, '--shell', 'none', '--host-lines', '--watch-stdin', ...own]
  const stdin = launcher === 'window' ? undefined : launcher?.stdin
  const started =
    launcher === 'window'
      ? [quiet, windowProgram, '--', ...own]
      : stdin
        ? ['-e', launcherScript(line, stdin === 'launcher' ? 'pipe' : 'inherit')]
        : line
  // Not a pipe of ours: Node closes that as soon as the launcher has ended.
  const endless = stdin === 'endless' ? openEndless(dataDir) : undefined
  const child = spawn(process.execPath, started, { stdio: [endless ?? 'pipe', 'pipe', 'pipe'], env })
  if (endless !== undefined) closeSync(endless)
  // Whoever has died reads no more.
  child.stdin?.on('error', () => {})
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal, at: performance.now() }))
  return { child, ended, output: () => output }
}

/** A pipe whose reader holds its other end too. */
function openEndless(folder: string): number {
  const path = join(folder, 'endless')
  const { status } = spawnSync('mkfifo', [path])
  if (status !== 0) throw new Error('mkfifo failed')
  const fd = openSync(path, 'r+')
  rmSync(path)
  return fd
}

/** A sidecar without a window that is ready. Whoever starts it ends it. */
export async function launchSidecar(options: LaunchOptions): Promise<LaunchedSidecar> {
  const { child, ended, output } = launch(options)
  const { port, token } = await readyLine(child, ended, output)
  const url = `http://127.0.0.1:${port}`
  const api = apiOf(url, token)
  const { pid } = JSON.parse(readFileSync(join(options.dataDir, 'instance.json'), 'utf8'))
  const self = liveDescendants().find((one) => one.pid === pid)
  if (self === undefined) throw new Error(`the sidecar ${pid} is not below us`)
  const hasLauncher = options.launcher !== undefined
  return { child, dataDir: options.dataDir, url, token, output, ended, ...api, self, hasLauncher }
}

export async function readyLine(child: ChildProcess, ended: Promise<{ code: number | null }>, output: () => string) {
  const ready = Promise.withResolvers<{ token: string; port: number }>()
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line.startsWith('{"stablenew":"ready"')) ready.resolve(JSON.parse(line))
  })
  void ended.then(({ code }) => ready.reject(new Error(`the sidecar ended with ${code} before it was ready: ${output()}`)))
  return await ready.promise
}

export function readLastShutdown(dataDir: string): LastShutdown {
  return lastShutdownSchema.parse(JSON.parse(readFileSync(join(dataDir, 'last-shutdown.json'), 'utf8')))
}

/** Waits until nothing is queued or running, and gives back the queue with what has ended. */
export const queueDone = (sidecar: RunningSidecar, ms = 60_000): Promise<Queue> =>
  waitFor(
    async () => {
      const queue = await sidecar.get<Queue>('/api/queue')
      return queue.running.length + queue.pendingTotal === 0 ? queue : false
    },
    'an empty queue',
    { ms, everyMs: 40 },
  )

/** What tests ask of a sidecar's API; @throws with status and text where the answer is an error, but for `request`. */
export function apiOf(url: string, token: string) {
  const request = (path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers },
    })
  const json = async <T>(answer: Response): Promise<T> => {
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return (answer.status === 204 ? null : await answer.json()) as T
  }
  const get = async <T>(path: string) => json<T>(await request(path))
  const post = async <T>(path: string, body: unknown = {}) =>
    json<T>(await request(path, { method: 'POST', body: JSON.stringify(body) }))
  const queue = async (packId: string, more: object = {}) =>
    (await post<{ jobIds: number[] }>('/api/queue', { packId, ...more })).jobIds
  return { request, get, post, queue }
}
