import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { projectFolder } from '../helpers/sidecar.ts'
import { type LiveProcess, liveDescendants, signalSame, stillRuns } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

export interface Started {
  readonly npm: ChildProcess
  readonly launcher: LiveProcess
  readonly sidecar: LiveProcess
  readonly url: string
  readonly token: string
  readonly dataDir: string
  readonly output: () => string
  /** The exit code of npm, or the signal that ended it. */
  readonly ended: Promise<number | string>
  /** Everything below the test that has come with it. */
  readonly all: readonly LiveProcess[]
  /** Names of those of `all` that still run. */
  alive(): string[]
  /** Waits until none of them does. */
  allGone(ms?: number): Promise<void>
}

/** A real `npm start` in the project's folder. */
export function spawnNpmStart(args: readonly string[], env: Record<string, string> = {}) {
  const npm = spawn('npm', ['start', '--silent', '--', ...args], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '', ...env },
  })
  let output = ''
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = once(npm, 'exit').then(([code, signal]): number | string => code ?? signal)
  return { npm, ended, output: () => output }
}

/** `npm start` with a data folder of its own, up to the moment when the sidecar serves. */
export async function npmStart(args: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const dataDir = tempDir('npm-start')
  const before = liveDescendants()
  const { npm, ended, output } = spawnNpmStart(['--data-dir', dataDir, ...args], env)
  const instance = await waitFor(() => readInstance(dataDir), 'the sidecar of npm start', { ms: 60_000 }).catch((error) => {
    npm.kill('SIGKILL')
    throw new Error(`${error.message}; it said: ${output()}`)
  })
  const all = liveDescendants().filter(
    (one) => !before.some(({ pid, startTime }) => pid === one.pid && startTime === one.startTime),
  )
  const sidecar = all.find(({ pid }) => pid === instance.pid)
  const launcher = all.find(
    ({ pid, name }) => pid !== npm.pid && /^(node|MainThread)$/.test(name) && isAbove(all, pid, instance.pid),
  )
  if (!sidecar || !launcher) throw new Error(`no sidecar or launcher below npm: ${JSON.stringify(all)}`)
  // A failed test must not leave it to the next one.
  onTestFinished(() => all.forEach((one) => void signalSame(one, 'SIGKILL')))
  const alive = () => all.filter(stillRuns).map(({ name }) => name)
  const allGone = async (ms = 10_000) => {
    await waitFor(() => alive().length === 0, 'the end of all that npm start started', { ms }).catch((error) => {
      throw new Error(`${error.message}: ${alive().join(', ')}`)
    })
  }
  return { npm, launcher, sidecar, url: instance.url, token: instance.token, dataDir, output, ended, all, alive, allGone }
}

function readInstance(dataDir: string): { pid: number; url: string; token: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'instance.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Whether `above` is an ancestor of `pid`. */
function isAbove(all: readonly LiveProcess[], above: number, pid: number): boolean {
  const parent = all.find((one) => one.pid === pid)?.parentPid
  return parent !== undefined && (parent === above || isAbove(all, above, parent))
}
