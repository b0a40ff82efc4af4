import { Hono } from 'hono'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { authenticate } from '../../../src-sidecar/api/auth.ts'
import { EntryCodes } from '../../../src-sidecar/api/entry-codes.ts'
import { errorAnswer } from '../../../src-sidecar/api/error-answer.ts'

function server() {
  const entryCodes = new EntryCodes()
  const app = new Hono()
  app.onError(errorAnswer(pino({ level: 'silent' })))
  app.use(authenticate({ token: 'the-token', entryCodes, port: () => 4711, allowedOrigins: new Set() }))
  app.get('*', (c) => c.text('inside'))
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { host: '127.0.0.1:4711', ...headers } })
  return { entryCodes, get }
}

test('a code opens the page once: it becomes a cookie, and the address is clean', async () => {
  const { entryCodes, get } = server()
  const code = entryCodes.issue()
  const first = await get(`/?code=${code}`)
  expect(first.status).toBe(302)
  expect(first.headers.get('location')).toBe('/')
  const cookie = first.headers.get('set-cookie')!.split(';')[0]!
  expect((await get('/', { cookie })).status).toBe(200)
  expect((await get(`/?code=${code}`)).status).toBe(401)
})

test('a code is no token: it opens nothing but the page, and an unknown one opens nothing', async () => {
  const { entryCodes, get } = server()
  const code = entryCodes.issue()
  expect((await get(`/api/status?code=${code}`)).status).toBe(401)
  expect((await get('/?code=guessed')).status).toBe(401)
  expect((await get(`/?token=${code}`)).status).toBe(401)
})
