import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { authenticate } from '../../../src-sidecar/api/auth.ts'
import { EntryCodes } from '../../../src-sidecar/api/entry-codes.ts'
import { errorAnswer } from '../../../src-sidecar/api/error-answer.ts'
import { silent } from '../jobs/queue-fixture.ts'
import { served } from './served.ts'

const token = 'abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP'
const bearer = { authorization: `Bearer ${token}` }

async function guarded() {
  const entryCodes = new EntryCodes()
  const origins = new Set<string>()
  const all = await served((port) =>
    new Hono()
      .onError(errorAnswer(silent))
      .use(authenticate({ token, entryCodes, port, allowedOrigins: origins }))
      .all('*', (c) => c.text('in')),
  )
  return { ...all, entryCodes, origins }
}

describe('the token lets in', () => {
  test('as a header, in either case of its scheme', async () => {
    const { ask } = await guarded()
    expect(await ask('/api/status', { headers: bearer })).toMatchObject({ status: 200, text: 'in' })
    expect((await ask('/api/status', { headers: { authorization: `bearer ${token}` } })).status).toBe(200)
  })

  test('in the address', async () => {
    const { ask } = await guarded()
    const answer = await ask(`/api/events?token=${token}&page=1`)
    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('as the cookie that the first page sets: for this port, out of reach of scripts and of other sites', async () => {
    const { ask, port } = await guarded()
    const [cookie] = (await ask(`/?token=${token}`)).headers['set-cookie'] ?? []
    expect(cookie).toBe(`stablenew-${port}=${token}; Path=/; HttpOnly; SameSite=Strict`)
    expect((await ask('/api/status', { headers: { cookie: `other=1; ${cookie!.split(';')[0]}` } })).status).toBe(200)
    expect((await ask('/api/status', { headers: { cookie: `stablenew-1=${token}` } })).status).toBe(401)
  })
})

describe('nothing else lets in', () => {
  const refused = { status: 401, json: { code: 'unauthorized', message: expect.stringContaining('token') } }

  test('no token at all, whatever the path and the method', async () => {
    const { ask } = await guarded()
    for (const path of ['/', '/api/status', '/api/events', '/index.html', '/nothing']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) expect(await ask(path, { method })).toMatchObject(refused)
    }
  })

  test.each([
    ['of the same length', `${token.slice(0, -1)}x`],
    ['that is shorter', token.slice(0, -1)],
    ['that is longer', `${token}x`],
    ['in another case', token.toLowerCase()],
    ['that is empty', ''],
    ['of the same length in characters, not in bytes', `${token.slice(0, -1)}ü`],
  ])('a token %s', async (_, wrong) => {
    const { ask, port } = await guarded()
    const encoded = encodeURIComponent(wrong)
    expect(await ask('/api/status', { headers: { authorization: `Bearer ${encoded}` } })).toMatchObject(refused)
    expect(await ask(`/api/status?token=${encoded}`)).toMatchObject(refused)
    expect(await ask('/api/status', { headers: { cookie: `stablenew-${port}=${encoded}` } })).toMatchObject(refused)
    expect((await ask(`/?token=${encoded}`)).headers['set-cookie']).toBeUndefined()
  })

  test('a wrong header beside a good cookie', async () => {
    const { ask, port } = await guarded()
    const headers = { authorization: 'Bearer wrong', cookie: `stablenew-${port}=${token}` }
    expect(await ask('/api/status', { headers })).toMatchObject(refused)
  })

  test('and the answer does not hold the token', async () => {
    const { ask } = await guarded()
    expect((await ask('/?token=wrong')).text).not.toContain(token)
  })
})

describe('an entry code', () => {
  test('opens the first page once: it sets the cookie and leaves the address', async () => {
    const { ask, port, entryCodes } = await guarded()
    const code = entryCodes.issue()
    const answer = await ask(`/?code=${code}`)
    expect(answer).toMatchObject({ status: 302, headers: { location: '/' } })
    expect(answer.headers['set-cookie']?.[0]).toContain(`stablenew-${port}=${token}`)
    const again = await ask(`/?code=${code}`)
    expect(again.status).toBe(401)
    expect(again.headers['set-cookie']).toBeUndefined()
  })

  test('is good for nothing else', async () => {
    const { ask, entryCodes } = await guarded()
    const code = entryCodes.issue()
    for (const path of [`/api/status?code=${code}`, `/?token=${code}`, '/?code=', '/?code=wrong']) {
      expect((await ask(path)).status).toBe(401)
    }
    expect((await ask('/', { headers: { authorization: `Bearer ${code}` } })).status).toBe(401)
    expect((await ask(`/?code=${code}`, { headers: { host: 'evil.example' } })).status).toBe(403)
    expect((await ask(`/?code=${code}`)).status).toBe(302)
  })
})

describe('Host and Origin', () => {
  const forbidden = { status: 403, json: { code: 'forbidden_origin' } }

  test('of ours are let in', async () => {
    const { ask, port } = await guarded()
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect((await ask('/', { headers: { ...bearer, host } })).status).toBe(200)
      expect((await ask('/', { headers: { ...bearer, origin: `http://${host}` } })).status).toBe(200)
    }
  })

  test('of others are refused, with the token too', async () => {
    const { ask, port } = await guarded()
    for (const host of [`evil.example:${port}`, '127.0.0.1', 'localhost', `127.0.0.1:${port + 1}`, `[::1]:${port}`]) {
      expect(await ask('/', { headers: { ...bearer, host } }), host).toMatchObject(forbidden)
    }
    const origins = [
      'http://evil.example',
      'null',
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      'http://localhost',
      '',
    ]
    for (const origin of [...origins, `http://127.0.0.1:${port}.evil.example`]) {
      expect(await ask('/', { headers: { ...bearer, origin } }), origin).toMatchObject(forbidden)
    }
  })

  test('of the shell are let in once it is known, with the token only', async () => {
    const { ask, origins } = await guarded()
    const origin = 'http://localhost:34567'
    expect(await ask('/', { headers: { ...bearer, origin } })).toMatchObject(forbidden)
    origins.add(origin)
    expect((await ask('/', { headers: { ...bearer, origin } })).status).toBe(200)
    expect((await ask('/', { headers: { origin } })).status).toBe(401)
  })
})
