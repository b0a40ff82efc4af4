import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ThreadRegistry } from '../../../src-sidecar/lifecycle/thread-registry.ts'
import { waitFor } from '../../helpers/wait-for.ts'

const file = new URL('../../fixtures/programs/worker.ts', import.meta.url)
const reason = { trigger: 'api' } as const
const grace = new AbortController().signal

async function startWorker(threads: ThreadRegistry, data: string, until = 'up') {
  const worker = threads.startWorker(data, `is ${data}`, file, { workerData: data })
  for (let said: unknown; said !== until; ) [said] = await once(worker, 'message')
  return worker
}

/** As the kernel has them; one that ends while it is looked at has none. */
const threadNames = () =>
  readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()
    } catch {
      return []
    }
  })

test('workers and loops are listed, and end at the signal', async () => {
  const threads = new ThreadRegistry()
  await startWorker(threads, 'good')
  const loop = threads.startLoop('sampling', 'looks at memory', (signal) => once(signal, 'abort').then(() => 'done'))
  expect(threads.list()).toMatchObject([
    { kind: 'worker', name: 'good', purpose: 'is good' },
    { kind: 'loop', name: 'sampling', purpose: 'looks at memory' },
  ])
  if (process.platform === 'linux') await waitFor(() => threadNames().includes('good'), 'the thread')
  await threads.stop(reason, grace)
  expect(await loop).toBe('done')
  expect(threads.list()).toEqual([])
  expect(threads.ends.map(({ how }) => how)).toEqual(['joined', 'joined'])
  expect(await threads.closed).toEqual({ name: 'threads' })
  expect(() => threads.startLoop('late', 'comes too late', async () => {})).toThrow(/closing/)
  // The kernel lists a thread for a moment after it was joined.
  if (process.platform === 'linux') await waitFor(() => !threadNames().includes('good'), 'the end of the thread')
})

test('a worker that does not listen or is blocked is terminated, and named', async () => {
  const threads = new ThreadRegistry({ joinMs: 200 })
  await startWorker(threads, 'deaf')
  await startWorker(threads, 'blocked')
  await threads.stop(reason, grace)
  expect(threads.ends).toMatchObject([
    { name: 'deaf', how: 'terminated' },
    { name: 'blocked', how: 'terminated' },
  ])
})

test('force skips the join, also later', async () => {
  const threads = new ThreadRegistry({ joinMs: 60_000 })
  await startWorker(threads, 'deaf')
  const force = new AbortController()
  const stopped = threads.stop(reason, force.signal)
  force.abort()
  await stopped
  expect(threads.ends).toMatchObject([{ how: 'terminated' }])
})

test('a loop that goes on and a worker in a native call are named as stuck', async () => {
  const threads = new ThreadRegistry({ joinMs: 50, terminateMs: 100 })
  const hold = Promise.withResolvers<void>()
  const loop = threads.startLoop('endless', 'never ends', () => hold.promise)
  const worker = await startWorker(threads, 'native', 'in SQLite')
  const exit = once(worker, 'exit')
  await expect(threads.stop(reason, grace)).rejects.toThrow('still running: loop endless, worker native')
  expect((await threads.closed).error?.message).toContain('worker native')
  hold.resolve()
  await Promise.all([loop, exit])
})

test('what ends by itself is no longer listed, also after an error', async () => {
  const threads = new ThreadRegistry()
  const worker = threads.startWorker('crashing', 'throws', file, { workerData: 'crashing' })
  const loop = threads.startLoop('failing', 'throws', () => Promise.reject(new Error('it went wrong')))
  await expect(once(worker, 'message')).rejects.toThrow('it went wrong')
  await expect(loop).rejects.toThrow('it went wrong')
  await waitFor(() => threads.list().length === 0, 'an empty list')
  await threads.stop(reason, grace)
  expect(threads.ends).toEqual([])
})
