import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { type LiveProcess, liveDescendants, signalSame } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { npmStart } from './npm-start.ts'
import type { Screen } from './screen.ts'
import { startStandIn } from './stand-in.ts'
import type { WatchedPage } from './watched-page.ts'

/** The app in a window, the stand-in's or the real one. */
export interface OpenShell {
  /** The window's process. */
  readonly shell: LiveProcess
  readonly sidecar: LiveProcess
  readonly dataDir: string
  /** Exit code of whoever started it all. */
  readonly ended: Promise<number | string>
  readonly output: () => string
  post(path: string, body?: object): Promise<void>
  queue(): Promise<Queue>
  closeWindow(): void
  clickTray(id: string): void
  /** Resolves when the new page knows the sidecar. */
  reload(): Promise<void>
  /** Breaks the sidecar's connection to the window, and nothing else; absent where that can't be done. */
  dropSocket?(): void
}

const slowEngine = ['--draft-args', '--step-ms 60']

export async function openStandIn(): Promise<OpenShell> {
  const dataDir = tempDir('stand-in')
  const standIn = startStandIn(['--data-dir', dataDir, ...slowEngine])
  const ready = (nth: number) => standIn.line(({ standIn }) => standIn === 'page-ready', 'a page that knows the sidecar', nth)
  onTestFinished(() => void (standIn.child.exitCode ?? standIn.child.kill('SIGKILL')))
  await ready(1)
  // The sidecar has the window's events from then on.
  await standIn.line(({ method }) => method === 'os.setTray', 'the tray')
  let pages = 1
  return {
    ...(await parts(dataDir, ({ pid }) => pid === standIn.child.pid)),
    ended: standIn.ended,
    output: standIn.output,
    closeWindow: () => standIn.tell('close'),
    clickTray: (id) => standIn.tell(`tray ${id}`),
    dropSocket: () => standIn.tell('drop'),
    reload: async () => {
      standIn.tell('reload')
      await ready(++pages)
    },
  }
}

export async function openNeutralino(screen: Screen, page: WatchedPage): Promise<OpenShell> {
  const started = await npmStart(slowEngine, { ...screen.env, NEUTRALINO_BIN: page.binary })
  await page.shown()
  return {
    ...(await parts(started.dataDir, ({ name }) => name.startsWith('neutralino'))),
    ended: started.ended,
    output: started.output,
    closeWindow: () => screen.closeWindow('StableNew'),
    clickTray: page.clickTray,
    reload: async () => {
      page.reload()
      await page.shown()
    },
  }
}

async function parts(dataDir: string, isShell: (one: LiveProcess) => boolean) {
  const instance: { pid: number; url: string; token: string } = JSON.parse(readFileSync(join(dataDir, 'instance.json'), 'utf8'))
  const shell = await waitFor(() => liveDescendants().find(isShell), 'the window’s process')
  const sidecar = await waitFor(() => liveDescendants().find(({ pid }) => pid === instance.pid), 'the sidecar')
  // A failed test must not leave it to the next one.
  onTestFinished(() => [shell, sidecar].forEach((one) => void signalSame(one, 'SIGKILL')))
  const headers = { authorization: `Bearer ${instance.token}`, 'content-type': 'application/json' }
  return {
    shell,
    sidecar,
    dataDir,
    post: async (path: string, body: object = {}) => {
      const answer = await fetch(instance.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    },
    queue: async () => (await (await fetch(`${instance.url}/api/queue`, { headers })).json()) as Queue,
  }
}
