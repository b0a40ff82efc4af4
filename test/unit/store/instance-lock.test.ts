import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { InstanceLock } from '../../../src-sidecar/store/instance-lock.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const module = new URL('../../../src-sidecar/store/instance-lock.ts', import.meta.url).href

/** Another process that takes the lock and says how that went; ends with its stdin, giving the lock back or not. */
async function otherProcess(path: string): Promise<{ child: ChildProcess; answer: string; ended: Promise<unknown> }> {
  const code = `
    const { InstanceLock } = await import(${JSON.stringify(module)})
    const lock = new InstanceLock(${JSON.stringify(path)})
    console.log(lock.tryAcquire() ? 'held' : 'refused')
    process.stdin.on('end', () => process.exit()).resume()`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const [said] = await once(child.stdout, 'data')
  return { child, answer: String(said).trim(), ended }
}

test('is held by one only, also in one process', () => {
  const path = join(tempDir('lock'), 'instance.lock')
  const [first, second] = [new InstanceLock(path), new InstanceLock(path)]
  expect(first.tryAcquire()).toBe(true)
  expect(second.tryAcquire()).toBe(false)
  first.release()
  first.release()
  expect(second.tryAcquire()).toBe(true)
  second.release()
})

test('is for its owner only, and leaves no second file', () => {
  const path = join(tempDir('lock'), 'instance.lock')
  const lock = new InstanceLock(path)
  lock.tryAcquire()
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
  lock.release()
  expect(readdirSync(dirname(path))).toEqual(['instance.lock'])
})

test('is refused to another process as long as we hold it', async () => {
  const path = join(tempDir('lock'), 'instance.lock')
  const lock = new InstanceLock(path)
  lock.tryAcquire()
  const other = await otherProcess(path)
  expect(other.answer).toBe('refused')
  other.child.stdin?.end()
  await other.ended
  lock.release()
})

test('is refused to us as long as another process holds it, and free at once when that is killed', async () => {
  const path = join(tempDir('lock'), 'instance.lock')
  const other = await otherProcess(path)
  expect(other.answer).toBe('held')
  const lock = new InstanceLock(path)
  expect(lock.tryAcquire()).toBe(false)
  other.child.kill('SIGKILL')
  await other.ended
  expect(lock.tryAcquire()).toBe(true)
  lock.release()
})

test.each(['.', 'none/instance.lock'])('a lock file that cannot be opened is a clear error: %s', (place) => {
  const path = join(tempDir('lock'), place)
  expect(() => new InstanceLock(path).tryAcquire()).toThrowError(
    expect.objectContaining({ code: 'disk', message: expect.stringContaining(path) }),
  )
})
