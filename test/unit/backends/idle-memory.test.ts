import { pino } from 'pino'
import { expect, test } from 'vitest'
import { IdleMemory } from '../../../src-sidecar/backends/idle-memory.ts'
import { waitFor } from '../../helpers/wait-for.ts'

function idleMemory(afterMs: number | null, free: (signal: AbortSignal) => Promise<boolean> = async () => true) {
  const asked = { times: 0, afterMs }
  const counted = (signal: AbortSignal) => {
    asked.times++
    return free(signal)
  }
  const memory = new IdleMemory({ afterMs: () => asked.afterMs, free: counted, logger: pino({ level: 'silent' }) })
  return { memory, asked }
}
/** Real time, in which nothing must happen. */
const quiet = (ms: number) => waitFor(() => false, 'time to pass', { ms }).catch(() => {})

test('memory is given back once after the work, however often it is told that there is none', async () => {
  const { memory, asked } = idleMemory(60)
  memory.busy(true)
  memory.busy(false)
  memory.busy(false)
  await waitFor(() => asked.times === 1, 'the request')
  memory.busy(false)
  await quiet(200)
  expect(asked.times).toBe(1)
  memory.busy(true)
  memory.busy(false)
  await waitFor(() => asked.times === 2, 'the request after the next work')
  await memory.stop()
})

test('not before there was work, not in the middle of it, and not where it is switched off', async () => {
  const { memory, asked } = idleMemory(30)
  memory.busy(false)
  await quiet(100)
  memory.busy(true)
  await quiet(100)
  asked.afterMs = null
  memory.busy(false)
  await quiet(100)
  expect(asked.times).toBe(0)
  asked.afterMs = 30
  memory.changed()
  await waitFor(() => asked.times === 1, 'the request')
  await memory.stop()
})

test('a server that refuses is asked again after the next work only', async () => {
  const { memory, asked } = idleMemory(20, () => Promise.reject(new Error('gone')))
  memory.busy(true)
  memory.busy(false)
  await waitFor(() => asked.times === 1, 'the request')
  await quiet(100)
  expect(asked.times).toBe(1)
  await memory.stop()
})

test('its stop ends what it waits for, and nothing comes after', async () => {
  const waits = (signal: AbortSignal) => new Promise<boolean>((resolve) => signal.addEventListener('abort', () => resolve(false)))
  const { memory, asked } = idleMemory(10, waits)
  memory.busy(true)
  memory.busy(false)
  await waitFor(() => asked.times === 1, 'the request')
  await memory.stop()
  memory.busy(true)
  memory.busy(false)
  await quiet(50)
  expect(asked.times).toBe(1)
})
