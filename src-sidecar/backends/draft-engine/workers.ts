/**
 * A chain of idle processes (engine → worker → worker …), so that shutdown can be rehearsed against a tree as real backends
 * have one. This file is both the module that starts the first worker and the program that each worker runs.
 *
 * A worker ends on the line `end`, or when its parent's end of the pipe closes. Under `--ignore-term` it ignores signals and a
 * lost parent alike and obeys only `end`: it outlives a killed engine, as badly behaved workers do.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

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

async function startChain(count: number, ignoreTerm: boolean): Promise<{ child: ChildProcess; pids: number[] }> {
  const flags = ['--max-old-space-size=16', '--max-semi-space-size=1', '--disable-warning=ExperimentalWarning']
  const args = [...flags, fileURLToPath(import.meta.url), String(count - 1), ...(ignoreTerm ? ['ignore-term'] : [])]
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

async function beWorker(below: number, ignoreTerm: boolean): Promise<void> {
  if (ignoreTerm) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  // A lost parent also closes stdout: it must not end a worker by an error.
  process.stdout.on('error', () => {})
  const keptAlive = setInterval(() => {}, 2 ** 30)
  let child: ChildProcess | null = null
  const end = () => {
    clearInterval(keptAlive)
    child?.stdin?.end('end\n')
    process.stdin.destroy()
  }
  createInterface({ input: process.stdin })
    .on('line', (line) => line === 'end' && end())
    .on('close', () => !ignoreTerm && end())
  let pids: number[] = []
  if (below > 0) {
    const chain = await startChain(below, ignoreTerm)
    child = chain.child
    pids = chain.pids
  }
  process.stdout.write(`${JSON.stringify(pids)}\n`)
}

if (import.meta.main) await beWorker(Number(process.argv[2]), process.argv[3] === 'ignore-term')
