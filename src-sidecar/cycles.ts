import { startApp } from './app.ts'
import type { ServeCommand } from './cli/command-line.ts'
import type { Queue } from './contract/job.ts'
import { collectGarbage, heldBytes } from './diagnostics/collect-garbage.ts'
import { waitFor } from './lifecycle/wait-for.ts'

const workWithinMs = 20_000
const collections = 3

/**
 * Starts the app, makes one image and closes it, again and again in this one process; says after each what it kept. For the selftest.
 * @returns 0, or 1 where a shutdown was not clean
 */
export async function runCycles(
  command: ServeCommand,
  cycles: number,
  out: (text: string) => void,
  abort: AbortSignal,
): Promise<number> {
  let exitCode = 0
  for (let cycle = 1; cycle <= cycles && !abort.aborted; cycle++) {
    const left = await oneCycle(command)
    if (left.length > 0) exitCode = 1
    for (let time = 0; time < collections; time++) {
      collectGarbage()
      // What was collected lets go of more at the next turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const heapBytes = heldBytes()
    out(`${JSON.stringify({ cycle, heapBytes, rssBytes: process.memoryUsage.rss(), left })}\n`)
  }
  return exitCode
}

async function oneCycle(command: ServeCommand): Promise<readonly string[]> {
  let url = ''
  let token = ''
  const host = {
    ready: (address: { port: number; token: string }) => {
      url = `http://127.0.0.1:${address.port}`
      token = address.token
    },
    open: () => {},
    notice: () => {},
  }
  // One of its own: what listens to it ends with the app.
  const app = await startApp(command, host, null, null, new AbortController().signal)
  const ask = async <T>(path: string, body?: object): Promise<T> => {
    // Closed with the answer: a connection that is kept would be somebody's who is to be judged here.
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' }
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    const answer = await fetch(url + path, init)
    return (await answer.json()) as T
  }
  await ask('/api/queue', { packId: 'example/portraits.txt', prompts: [0], settings: { width: 64, height: 64, steps: 2 } })
  await waitFor(
    async () => {
      const { running, pendingTotal } = await ask<Queue>('/api/queue')
      return running.length + pendingTotal === 0
    },
    'the image of this cycle',
    { ms: workWithinMs, everyMs: 25 },
  )
  const { left } = await app.shutdown({ trigger: 'work-done' })
  return left
}
