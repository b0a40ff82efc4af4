import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ProcessClosed, ProcessIdentity } from '../../src-sidecar/processes/spawn-contained.ts'
import { waitFor } from './wait-for.ts'

type SupervisorEvent = {
  event: string
  line?: string
  level?: string
  guard?: ProcessIdentity
  leader?: ProcessIdentity
  closed?: ProcessClosed
  [more: string]: unknown
}

/** A running `fixtures/programs/supervisor.ts`: a sidecar with nothing but containment. */
export interface Supervised {
  readonly child: ChildProcess
  readonly events: SupervisorEvent[]
  /** Waits for an event; @throws with all that was said when it does not come. */
  event(name: string, ms?: number): Promise<SupervisorEvent>
  /** Waits for a line of the program's output. */
  line(text: string, ms?: number): Promise<void>
  tell(word: 'terminate' | 'terminate-all' | 'force'): void
  /** Closes its stdin, upon which it ends everything and itself; resolves with its exit code. */
  finish(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
}

export function supervise(
  command: readonly string[],
  options: {
    dataDir: string
    level: string
    graceMs?: number
    token?: string
    /** A user id to run as; needs root. */
    asUser?: number
    /** Its complaints are expected and not shown. */
    quiet?: boolean
    /** Server mode: the process goes on when the supervisor ends cleanly. */
    persistent?: boolean
    /** Takes over what an earlier one released, instead of starting a command. */
    adopt?: boolean
  },
): Supervised {
  const program = fileURLToPath(new URL('../fixtures/programs/supervisor.ts', import.meta.url))
  const { dataDir, level, graceMs = 300, token, asUser } = options
  const modes = (['persistent', 'adopt'] as const).filter((mode) => options[mode]).map((mode) => `--${mode}`)
  const own = [
    '--level',
    level,
    '--data-dir',
    dataDir,
    '--grace-ms',
    String(graceMs),
    ...(token ? ['--token', token] : []),
    ...modes,
  ]
  const node = [process.execPath, '--no-warnings', program, ...own, '--', ...command]
  const user = asUser === undefined ? [] : ['setpriv', `--reuid=${asUser}`, `--regid=${asUser}`, '--clear-groups']
  const [file, ...args] = [...user, ...node]
  const child = spawn(file!, args, {
    stdio: ['pipe', 'pipe', options.quiet ? 'ignore' : 'inherit'],
  })
  const events: SupervisorEvent[] = []
  createInterface({ input: child.stdout! }).on('line', (text) => events.push(JSON.parse(text)))
  child.stdin!.on('error', () => {})
  const gone = once(child, 'close')
  const find = (match: (event: SupervisorEvent) => boolean, what: string, ms: number) =>
    waitFor(() => events.find(match), what, { ms, everyMs: 2 }).catch((error) => {
      throw new Error(`${error.message}; exit ${child.exitCode ?? child.signalCode}; heard: ${JSON.stringify(events)}`)
    })
  return {
    child,
    events,
    event: (name, ms = 10_000) => find(({ event }) => event === name, `event ${name}`, ms),
    line: async (text, ms = 10_000) => void (await find(({ line }) => line === text, `line ${text}`, ms)),
    tell: (word) => void child.stdin!.write(`${word}\n`),
    async finish() {
      child.stdin!.end()
      await gone
      return child.exitCode
    },
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}
