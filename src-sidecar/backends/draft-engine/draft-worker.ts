/**
 * The program of each worker of the chain: `draft-worker BELOW [ignore-term]`.
 *
 * It ends on the line `end`, or when its parent's end of the pipe closes. With `ignore-term` it ignores signals and a lost
 * parent alike and obeys only `end`: it outlives a killed engine, as badly behaved workers do.
 */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { startChain } from './workers.ts'

const below = Number(process.argv[2])
const ignoreTerm = process.argv[3] === 'ignore-term'
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
