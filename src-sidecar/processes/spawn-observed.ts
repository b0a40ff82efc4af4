import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface ObservedExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Milliseconds of `performance.now()`. */
  readonly atMs: number
}

export interface ObserveOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  onLine?(stream: 'stdout' | 'stderr', line: string): void
}

/** A program that is watched and not held. */
export interface ObservedProcess {
  readonly pid: number
  /** Settles when it has ended, whatever of its tree goes on. Never rejects. */
  readonly exited: Promise<ObservedExit>
  write(line: string): void
  endInput(): void
  /** To this very process: Node knows whether it still runs. */
  signal(signal: NodeJS.Signals): void
}

/**
 * Starts a program to see what it leaves behind: nothing holds it. For the selftest alone; the program must end itself when
 * its standard input ends.
 * @throws Error when it can't be started
 */
export async function spawnObserved(file: string, args: readonly string[], options: ObserveOptions): Promise<ObservedProcess> {
  const child = spawn(file, args, { stdio: 'pipe', env: { ...options.env }, windowsHide: true })
  for (const stream of ['stdout', 'stderr'] as const)
    createInterface({ input: child[stream] }).on('line', (line) => options.onLine?.(stream, line))
  child.stdin.on('error', () => {})
  const exited = new Promise<ObservedExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, atMs: performance.now() }))
  })
  await once(child, 'spawn')
  return {
    pid: child.pid!,
    exited,
    write: (line) => void child.stdin.write(`${line}\n`),
    endInput: () => void child.stdin.end(),
    signal: (signal) => void child.kill(signal),
  }
}
