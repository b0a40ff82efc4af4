import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { waitFor } from '../helpers/wait-for.ts'

/** Whether a screen without a monitor, and windows on it, can be had here. */
export const hasScreenPrograms = ['Xvfb', 'openbox', 'wmctrl'].every((name) => spawnSync('which', [name]).status === 0)

export interface Screen {
  readonly env: Record<string, string>
  /** Titles of the open windows. */
  titles(): string[]
  /** Clicks the close button of a window. */
  closeWindow(title: string): void
  stop(): Promise<void>
}

/** An X server of its own with a window manager: a window's close button works as on a desk. */
export async function startScreen(): Promise<Screen> {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  let number = ''
  server.stdio[3]?.on('data', (chunk) => (number += chunk))
  await waitFor(() => number.includes('\n'), 'Xvfb', { ms: 15_000 })
  const env = { DISPLAY: `:${number.trim()}`, LIBGL_ALWAYS_SOFTWARE: '1' }
  const run = (...args: string[]) => spawnSync('wmctrl', args, { env: { ...process.env, ...env }, encoding: 'utf8' }).stdout
  const manager = spawn('openbox', { stdio: 'ignore', env: { ...process.env, ...env } })
  await waitFor(() => run('-m').includes('Openbox'), 'openbox', { ms: 15_000, everyMs: 50 })
  return {
    env,
    titles: () =>
      run('-l')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(/\s+/).slice(3).join(' ')),
    closeWindow: (title) => void run('-F', '-c', title),
    stop: async () => {
      for (const child of [manager, server]) await end(child)
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}
