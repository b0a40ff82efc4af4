import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import { ApiError } from '../../src-ui/api/api-error.ts'
import { type ConnectionState, EventConnection } from '../../src-ui/api/event-connection.ts'

const hello: AppEvent = { type: 'hello', runId: 'run' }
const closing: AppEvent = { type: 'closing', closing: { trigger: 'exit-button', step: 'backend', sinceMs: 0 } }

function connection() {
  const states: ConnectionState[] = []
  const streams: { send: (event: AppEvent) => void; lose: () => void; closed: boolean }[] = []
  const sidecar = { answer: null as ApiError | null }
  const subject = new EventConnection({
    openStream: (send, lose) => {
      const stream = { send, lose, closed: false }
      streams.push(stream)
      return () => {
        stream.closed = true
      }
    },
    probe: () => (sidecar.answer ? Promise.reject(sidecar.answer) : Promise.resolve()),
    onEvent: () => {},
    onState: (state) => states.push(state),
  })
  subject.open()
  return { subject, states, streams, sidecar, stream: () => streams.at(-1)! }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a stream is live from its hello on', () => {
  const { states, stream } = connection()
  expect(states).toEqual([])
  stream().send(hello)
  expect(states).toEqual(['live'])
})

test('a lost stream is opened again while the sidecar answers', async () => {
  const { states, stream, streams } = connection()
  stream().send(hello)
  stream().lose()
  await vi.advanceTimersByTimeAsync(500)
  expect(streams).toHaveLength(2)
  stream().send(hello)
  expect(states).toEqual(['live', 'reconnecting', 'live'])
})

test('a sidecar that does not answer for more than 5 s is gone, and found again when it returns', async () => {
  const { states, stream, sidecar } = connection()
  stream().send(hello)
  sidecar.answer = new ApiError('unreachable', '')
  stream().lose()
  await vi.advanceTimersByTimeAsync(4000)
  expect(states.at(-1)).toBe('reconnecting')
  await vi.advanceTimersByTimeAsync(6000)
  expect(states.at(-1)).toBe('gone')
  sidecar.answer = null
  await vi.advanceTimersByTimeAsync(7000)
  stream().send(hello)
  expect(states.at(-1)).toBe('live')
})

test('after bye the stream is closed and never opened again', async () => {
  const { states, stream, streams } = connection()
  stream().send(hello)
  stream().send({ type: 'bye' })
  expect(stream().closed).toBe(true)
  stream().lose()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(states).toEqual(['live', 'closed'])
  expect(streams).toHaveLength(1)
})

test('a sidecar that goes while it is closing has closed', async () => {
  const { states, stream, sidecar } = connection()
  stream().send(hello)
  stream().send(closing)
  sidecar.answer = new ApiError('unreachable', '')
  stream().lose()
  await vi.advanceTimersByTimeAsync(100)
  expect(states.at(-1)).toBe('closed')
})

test('a refused token ends the tries', async () => {
  const { states, stream, streams, sidecar } = connection()
  sidecar.answer = new ApiError('unauthorized', '')
  stream().lose()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(states).toEqual(['signed-out'])
  expect(streams).toHaveLength(1)
})

test('a paused page tries nothing until it is opened again', async () => {
  const { subject, stream, streams } = connection()
  stream().send(hello)
  subject.pause()
  expect(stream().closed).toBe(true)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(streams).toHaveLength(1)
  subject.open()
  expect(streams).toHaveLength(2)
})
