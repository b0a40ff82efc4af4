import { get, type IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import { expect, onTestFinished, test } from 'vitest'
import { EventStream } from '../../../src-sidecar/api/event-stream.ts'
import { type AppEvent, eventSchema } from '../../../src-sidecar/contract/events.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { served } from './served.ts'

async function streaming() {
  const stream = new EventStream('run-1')
  let opened = 0
  const all = await served(() => new Hono().get('/', (c) => stream.answer(c, () => opened++)))
  return { ...all, stream, opened: () => opened }
}

/** A page that listens; what it hears is checked against the contract. */
async function listen(port: number) {
  const events: AppEvent[] = []
  const heard = {
    events,
    types: () => events.map(({ type }) => type),
    ended: false,
    response: undefined as IncomingMessage | undefined,
  }
  const request = get({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
    heard.response = response
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        if (part.startsWith(':')) continue
        const [event, data] = ['event', 'data'].map((field) => part.match(new RegExp(`^${field}: (.*)$`, 'm'))?.[1] ?? '')
        const parsed = eventSchema.parse(JSON.parse(data!))
        expect(event).toBe(parsed.type)
        events.push(parsed)
      }
    })
    response.on('end', () => {
      heard.ended = true
    })
    response.on('error', () => {})
  })
  request.on('error', () => {})
  onTestFinished(() => void request.destroy())
  await waitFor(() => events.length > 0, 'the first event')
  return {
    ...heard,
    get ended() {
      return heard.ended
    },
    close: () => request.destroy(),
  }
}

test('a stream begins with hello, and tells every page every event in order', async () => {
  const { port, stream, opened } = await streaming()
  const [one, two] = [await listen(port), await listen(port)]
  expect(opened()).toBe(2)
  expect(stream.size).toBe(2)
  for (let at = 0; at < 50; at++) stream.publish(at % 2 ? { type: 'packs' } : { type: 'queue' })
  for (const page of [one, two]) {
    await waitFor(() => page.events.length === 51, 'all events')
    expect(page.events[0]).toEqual({ type: 'hello', runId: 'run-1' })
    expect(page.types().slice(1, 4)).toEqual(['queue', 'packs', 'queue'])
  }
})

test('what was told before is not told again', async () => {
  const { port, stream } = await streaming()
  stream.publish({ type: 'packs' })
  const page = await listen(port)
  stream.publish({ type: 'queue' })
  await waitFor(() => page.events.length === 2, 'the event')
  expect(page.types()).toEqual(['hello', 'queue'])
})

test('the answer is an event stream that nobody keeps', async () => {
  const { port } = await streaming()
  const page = await listen(port)
  expect(page.response?.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
})

test('a page that goes is forgotten', async () => {
  const { port, stream } = await streaming()
  const [one, two] = [await listen(port), await listen(port)]
  one.close()
  await waitFor(() => stream.size === 1, 'the page to be forgotten')
  stream.publish({ type: 'packs' })
  await waitFor(() => two.events.length === 2, 'the event')
})

test('the end says bye last, and ends every stream', async () => {
  const { port, stream } = await streaming()
  const [one, two] = [await listen(port), await listen(port)]
  stream.publish({ type: 'closing', closing: { trigger: 'exit-button', step: 'window', sinceMs: 1 } })
  stream.end()
  stream.publish({ type: 'packs' })
  for (const page of [one, two]) {
    await waitFor(() => page.ended, 'the end')
    expect(page.types()).toEqual(['hello', 'closing', 'bye'])
  }
  expect(stream.size).toBe(0)
})

test('a page that comes after the end is told so', async () => {
  const { port, stream } = await streaming()
  stream.end()
  const page = await listen(port)
  await waitFor(() => page.ended, 'the end')
  expect(page.types()).toEqual(['hello', 'bye'])
})

test('a page that does not read is cut off, and holds nobody up', async () => {
  const { port, stream } = await streaming()
  const [slow, quick] = [await listen(port), await listen(port)]
  slow.response?.pause()
  const long: AppEvent = {
    type: 'backends',
    backends: [{ id: 'one', kind: 'draft', name: 'x'.repeat(100_000), state: 'ready', problem: null, capabilities: null }],
  }
  let sent = 0
  await waitFor(
    async () => {
      if (stream.size === 1) return true
      // No faster than the other page reads.
      if (quick.events.length <= sent) return false
      stream.publish(long)
      sent++
      return stream.size === 1
    },
    'the slow page to be cut off',
    { ms: 20_000, everyMs: 1 },
  )
  await waitFor(() => quick.events.length === sent + 1, 'the last event')
}, 30_000)
