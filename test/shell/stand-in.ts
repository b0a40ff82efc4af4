import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { projectFolder } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const program = join(projectFolder, 'src-sidecar/selftest/neutralino-stand-in.ts')

export type StandInLine = { standIn?: string; stablenew?: string; [more: string]: unknown }
export type StandInCommand = 'close' | 'drop' | 'reload' | 'crash-page' | 'kill' | `tray ${string}`

/** A running stand-in for Neutralino. */
export interface StandIn {
  readonly child: ChildProcess
  /** All that it and the sidecar have said. */
  readonly lines: readonly StandInLine[]
  readonly output: () => string
  /** The exit code of the window, 128 more than a signal's number. */
  readonly ended: Promise<number>
  tell(command: StandInCommand): void
  /** Waits for a line, the `nth` of its kind. */
  line(match: (line: StandInLine) => boolean, what: string, nth?: number): Promise<StandInLine>
}

export function startStandIn(sidecarArgs: readonly string[], flags: readonly string[] = []): StandIn {
  const args = ['--disable-warning=ExperimentalWarning', program, ...flags, '--', ...sidecarArgs]
  const child = spawn(process.execPath, args, { env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' } })
  const lines: StandInLine[] = []
  let output = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    output += `${line}\n`
    if (line.startsWith('{')) lines.push(JSON.parse(line))
  })
  child.stderr.on('data', (data) => (output += data))
  child.stdin.on('error', () => {})
  const ended = once(child, 'exit').then(([code, signal]): number => code ?? (signal === 'SIGKILL' ? 137 : 128))
  const line: StandIn['line'] = (match, what, nth = 1) =>
    waitFor(() => lines.filter(match)[nth - 1], what, { ms: 20_000 }).catch((error) => {
      throw new Error(`${error.message}; exit ${child.exitCode ?? child.signalCode}; it said: ${output}`)
    })
  return { child, lines, output: () => output, ended, line, tell: (command) => void child.stdin.write(`${command}\n`) }
}
