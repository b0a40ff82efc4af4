import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Job, Queue } from '../../src-sidecar/contract/job.ts'
import { apiOf, readyLine } from './launched-sidecar.ts'
import { tempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

export const projectFolder = fileURLToPath(new URL('../../', import.meta.url))
export const mainProgram = join(projectFolder, 'src-sidecar/main.ts')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Milliseconds of `performance.now()`. */
  readonly at: number
}

export interface RunningSidecar {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly url: string
  readonly token: string
  readonly output: () => string
  readonly ended: Promise<Ended>
  request(path: string, init?: RequestInit): Promise<Response>
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  queue(packId: string, more?: object): Promise<number[]>
}

const env = { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' }

/** The program in `src-sidecar/main.ts` with these arguments, its output collected. @param prefix becomes it, as `exec` does */
export function spawnMain(args: readonly string[], stdin: 'pipe' | 'ignore' = 'pipe', prefix: readonly string[] = []) {
  const [file, ...line] = [...prefix, process.execPath, '--disable-warning=ExperimentalWarning', mainProgram, ...args]
  const child = spawn(file!, line, {
    stdio: [stdin, 'pipe', 'pipe'],
    env,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const ended = once(child, 'exit').then(([code, signal]): Ended => ({ code, signal, at: performance.now() }))
  return { child, ended, output: () => output }
}

/** A sidecar without a window that is ready; `--watch-stdin` unless `watch` is false. Whoever starts it ends it. */
export async function startSidecar({
  dataDir = tempDir('sidecar'),
  args = [],
  watch = true,
  prefix = [],
}: {
  dataDir?: string
  args?: readonly string[]
  watch?: boolean
  prefix?: readonly string[]
} = {}): Promise<RunningSidecar> {
  const flags = ['--shell', 'none', '--host-lines', '--data-dir', dataDir, ...(watch ? ['--watch-stdin'] : []), ...args]
  const { child, ended, output } = spawnMain(flags, watch ? 'pipe' : 'ignore', prefix)
  const { token, port } = await readyLine(child, ended, output)
  const url = `http://127.0.0.1:${port}`
  return { child, dataDir, url, token, output, ended, ...apiOf(url, token) }
}

/** Puts these in place of the backends of the settings; one without an id is `one`. */
export async function useBackends(sidecar: RunningSidecar, ...backends: object[]): Promise<void> {
  const settings = await sidecar.get<object>('/api/settings')
  const body = JSON.stringify({ ...settings, backends: backends.map((one) => ({ id: 'one', ...one })) })
  const answer = await sidecar.request('/api/settings', { method: 'PUT', body })
  if (!answer.ok) throw new Error(`PUT /api/settings: ${answer.status} ${await answer.text()}`)
}

/** Waits until an image is really being made: the backend reports steps. */
export const waitForSteps = (sidecar: RunningSidecar): Promise<Queue> =>
  waitFor(
    async () => {
      const queue = await sidecar.get<Queue>('/api/queue')
      return (queue.progress[0]?.fraction ?? 0) > 0 ? queue : false
    },
    'an image being made',
    { ms: 20_000 },
  )

/** Waits until nothing is queued or running, and gives back all images. */
export const waitForEmptyQueue = async (sidecar: RunningSidecar): Promise<ImagePage> => {
  await waitFor(
    async () => {
      const { running, pendingTotal } = await sidecar.get<Queue>('/api/queue')
      return running.length + pendingTotal === 0
    },
    'an empty queue',
    { ms: 40_000, everyMs: 50 },
  )
  return await sidecar.get<ImagePage>('/api/images?limit=200')
}

export const waitForJob = (sidecar: RunningSidecar, id: number, state: Job['state']): Promise<Job> =>
  waitFor(
    async () => {
      const { running, pending, ended } = await sidecar.get<Queue>('/api/queue')
      return [...running, ...pending, ...ended].find((job) => job.id === id && job.state === state)
    },
    `job ${id} to be ${state}`,
    { ms: 20_000 },
  )

/** Collects the event stream until `until` says so. */
export async function collectEvents(sidecar: RunningSidecar, until: (event: AppEvent) => boolean): Promise<AppEvent[]> {
  const answer = await sidecar.request('/api/events')
  const events: AppEvent[] = []
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const data of blocks.flatMap((block) => block.match(/^data: (.*)$/m)?.[1] ?? [])) {
      const event: AppEvent = JSON.parse(data)
      events.push(event)
      if (until(event)) return events
    }
  }
  return events
}

/** Ends it as a user does, and gives back how it ended. */
export async function closeSidecar(sidecar: RunningSidecar): Promise<Ended> {
  await sidecar.post('/api/shutdown', { trigger: 'exit-button' })
  return await sidecar.ended
}
