/**
 * A chain of idle processes (engine → worker → worker …), so that shutdown can be rehearsed against a tree as real backends
 * have one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'

/** Our neighbour, also where both are bundled. */
const program = join(import.meta.dirname, `draft-worker${extname(import.meta.filename)}`)

/** A running chain. */
export interface Workers {
  /** Process ids, nearest to the engine first. */
  readonly pids: readonly number[]
  /** Ends the chain, kills what is left after `graceMs`; resolves when the first worker, and so in order all, are gone. */
  end(graceMs: number): Promise<void>
}

/** Starts `count` workers; resolves when all of them run. Rejects when one doesn't start. */
export async function startWorkers(count: number, ignoreTerm: boolean): Promise<Workers> {
  if (count === 0) return { pids: [], end: async () => {} }
  const { child, pids } = await startChain(count, ignoreTerm)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    pids,
    async end(graceMs) {
      child.stdin?.end('end\n')
      const timer = setTimeout(() => {
        for (const pid of pids) kill(pid)
      }, graceMs)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Starts a worker that starts those below it; resolves when all run. */
export async function startChain(count: number, ignoreTerm: boolean): Promise<{ child: ChildProcess; pids: number[] }> {
  const flags = ['--max-old-space-size=16', '--max-semi-space-size=1', '--disable-warning=ExperimentalWarning']
  const args = [...flags, program, String(count - 1), ...(ignoreTerm ? ['ignore-term'] : [])]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true })
  child.stdin?.on('error', () => {})
  const below = await new Promise<number[]>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`a worker ended at its start (${signal ?? code})`)))
    createInterface({ input: child.stdout! }).once('line', (line) => resolve(JSON.parse(line) as number[]))
  })
  return { child, pids: [child.pid!, ...below] }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was gone already.
  }
}
