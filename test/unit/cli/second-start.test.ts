import { join } from 'node:path'
import { Hono } from 'hono'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { acquireInstance, bringToFront } from '../../../src-sidecar/cli/second-start.ts'
import { writeInstance } from '../../../src-sidecar/config/instance-file.ts'
import type { Closing } from '../../../src-sidecar/contract/status.ts'
import { InstanceLock } from '../../../src-sidecar/store/instance-lock.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { served } from '../api/served.ts'

const never = new AbortController().signal
let folder: string
let path: string

beforeEach(() => {
  folder = tempDir('second')
  path = join(folder, 'instance.lock')
})

/** The first instance: its lock, its server, its file. */
async function first() {
  const lock = new InstanceLock(path)
  lock.tryAcquire()
  onTestFinished(() => lock.release())
  const told = { closing: null as Closing | null, asked: 0, fronts: 0, tokens: new Set<string>() }
  const { port } = await served(() =>
    new Hono()
      .get('/api/status', (c) => {
        told.asked++
        told.tokens.add(c.req.header('authorization') ?? '')
        // All that counts, whatever else another version says.
        return c.json({ closing: told.closing })
      })
      .post('/api/front', (c) => {
        told.fronts++
        return c.body(null, 204)
      }),
  )
  const instance = { pid: process.pid, url: `http://127.0.0.1:${port}`, token: 'secret' }
  await writeInstance(folder, instance)
  return { lock, told, instance }
}

const second = (abort = never) => {
  const lock = new InstanceLock(path)
  onTestFinished(() => lock.release())
  return acquireInstance(lock, folder, abort)
}

test('the only start gets the folder', async () => {
  await second()
  expect(new InstanceLock(path).tryAcquire()).toBe(false)
})

test('a second start is told where the first one runs, and can bring it to the front', async () => {
  const { told, instance } = await first()
  await expect(second()).rejects.toMatchObject({
    code: 'already_running',
    message: `StableNew already runs on ${folder} (process ${process.pid}).`,
    data: { instance },
  })
  expect([...told.tokens]).toEqual(['Bearer secret'])
  expect(await bringToFront(instance)).toBe(true)
  expect(told.fronts).toBe(1)
})

test('a start while the earlier one closes waits for it', async () => {
  const { lock, told } = await first()
  told.closing = { trigger: 'exit-button', step: 'backend', sinceMs: 1 }
  const waiting = second()
  await waitFor(() => told.asked > 1, 'the second start to look again')
  lock.release()
  await waiting
})

test('a start waits for one that holds the folder and says nothing, until that is gone', async () => {
  const lock = new InstanceLock(path)
  lock.tryAcquire()
  await writeInstance(folder, { pid: 1, url: 'http://127.0.0.1:1', token: 'old' })
  const waiting = second()
  let over = false
  void waiting.then(() => {
    over = true
  })
  const began = performance.now()
  await waitFor(() => performance.now() - began > 300, 'a few looks')
  expect(over).toBe(false)
  lock.release()
  await waiting
})

test('waiting ends when the start is ended', async () => {
  const lock = new InstanceLock(path)
  lock.tryAcquire()
  onTestFinished(() => lock.release())
  const abort = new AbortController()
  const waiting = second(abort.signal)
  abort.abort()
  await expect(waiting).rejects.toThrow(/abort/i)
})

test('an instance that is not there does not come to the front', async () => {
  expect(await bringToFront({ pid: 1, url: 'http://127.0.0.1:1', token: 'x' })).toBe(false)
})
