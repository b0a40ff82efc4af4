import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createApi } from '../../../src-sidecar/api/api.ts'
import type { ApiParts } from '../../../src-sidecar/api/api-parts.ts'
import { EntryCodes } from '../../../src-sidecar/api/entry-codes.ts'
import { defaultSettings } from '../../../src-sidecar/contract/settings.ts'
import { AppError } from '../../../src-sidecar/errors/app-error.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { silent } from '../jobs/queue-fixture.ts'
import { served } from './served.ts'

const token = 'secret'
const shell = 'http://localhost:34567'

/** The parts that every request passes through; the routes' own are tested with the whole app. */
const api = (more: Partial<ApiParts> = {}) =>
  served((port) => {
    const auth = { token, entryCodes: new EntryCodes(), port, allowedOrigins: new Set([shell]) }
    const storage = { errorOf: async () => undefined }
    const parts: Partial<ApiParts> = { auth, logger: silent, uiFolder: tempDir('ui'), storage, ...more }
    return createApi(parts as ApiParts)
  })

test('the shell’s page may read errors too', async () => {
  const { ask } = await api()
  for (const [headers, status] of [
    [{ origin: shell }, 401],
    [{ origin: shell, authorization: `Bearer ${token}` }, 404],
  ] as const) {
    const answer = await ask('/api/nothing', { headers })
    expect(answer).toMatchObject({ status, json: { code: expect.any(String), message: expect.any(String) } })
    expect(answer.headers['access-control-allow-origin']).toBe(shell)
  }
})

test('a preflight is answered without the token, to known origins only', async () => {
  const { ask } = await api()
  const asking = (origin: string) =>
    ask('/api/settings', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' },
    })
  expect((await asking(shell)).headers).toMatchObject({
    'access-control-allow-origin': shell,
    'access-control-allow-methods': 'GET,POST,PUT',
  })
  expect((await asking('http://evil.example')).headers['access-control-allow-origin']).toBeUndefined()
})

test('every answer forbids frames, foreign scripts and guessing of types', async () => {
  const { ask } = await api()
  const { headers } = await ask('/', { headers: { authorization: `Bearer ${token}` } })
  expect(headers).toMatchObject({
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': expect.stringMatching(/default-src 'self';.*frame-ancestors 'none'/),
  })
})

test('a body of more than two megabytes is refused', async () => {
  const { ask } = await api()
  const answer = await ask('/api/queue', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: 'x'.repeat(2 * 2 ** 20 + 1),
  }).catch((error: NodeJS.ErrnoException) => error.code)
  // The connection may be closed before all was sent.
  if (typeof answer === 'object') expect(answer).toMatchObject({ status: 413, json: { code: 'too_large' } })
  else expect(answer).toMatch(/EPIPE|ECONNRESET/)
})

test('files beside the UI are out of reach', async () => {
  const { ask } = await api()
  for (const path of ['/../package.json', '/..%2fpackage.json', '/%2e%2e/package.json', '/..\\package.json']) {
    expect((await ask(path, { headers: { authorization: `Bearer ${token}` } })).status, path).toBeGreaterThanOrEqual(400)
  }
})

test('while the app starts, its page is served and its questions wait', async () => {
  const uiFolder = tempDir('ui')
  writeFileSync(join(uiFolder, 'index.html'), 'the page')
  const started = Promise.withResolvers<void>()
  const { ask } = await api({ uiFolder, whenStarted: started.promise, settings: { current: defaultSettings } })
  const headers = { authorization: `Bearer ${token}` }
  let answered = false
  const settings = ask('/api/settings', { headers }).finally(() => {
    answered = true
  })
  expect(await ask('/', { headers })).toMatchObject({ status: 200, text: 'the page' })
  expect((await ask('/api/settings')).status).toBe(401)
  expect(answered).toBe(false)
  started.resolve()
  expect((await settings).status).toBe(200)
})

test('an end is begun though the app has not started yet', async () => {
  const started = Promise.withResolvers<void>()
  const ends: string[] = []
  const shutdown: ApiParts['shutdown'] = ({ trigger }) => void ends.push(trigger)
  const { ask } = await api({ whenStarted: started.promise, shutdown })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  await ask('/api/shutdown', { method: 'POST', headers, body: JSON.stringify({ trigger: 'exit-button' }) })
  expect(ends).toEqual(['exit-button'])
})

test('what was asked for of an app whose start fails is told so', async () => {
  const started = Promise.withResolvers<void>()
  started.promise.catch(() => {})
  const { ask } = await api({ whenStarted: started.promise })
  const asked = ask('/api/settings', { headers: { authorization: `Bearer ${token}` } })
  started.reject(new AppError('shutting_down', 'StableNew closes before it has started.'))
  expect(await asked).toMatchObject({ status: 503, json: { code: 'shutting_down' } })
})
