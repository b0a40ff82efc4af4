import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeSidecar, type RunningSidecar, startSidecar } from '../helpers/sidecar.ts'

let sidecar: RunningSidecar

beforeAll(async () => {
  sidecar = await startSidecar()
})
afterAll(async () => {
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

/** With headers that `fetch` does not let a caller set. */
function raw(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(sidecar.url)
    httpRequest({ hostname, port, path, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

const bearer = () => ({ authorization: `Bearer ${sidecar.token}` })

test.each(['/', '/index.html', '/api/status', '/api/events', '/api/images/1/file', '/nothing'])(
  'GET %s without a token is 401',
  async (path) => {
    const answer = await fetch(sidecar.url + path)
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'unauthorized' })
  },
)

test('a wrong token is 401, whatever its length', async () => {
  for (const token of ['', 'x', `${sidecar.token.slice(0, -1)}!`, `${sidecar.token}x`]) {
    expect((await fetch(`${sidecar.url}/api/status?token=${token}`)).status).toBe(401)
  }
})

test('the printed address opens the UI and sets a cookie that is enough from then on', async () => {
  const page = await fetch(`${sidecar.url}/?token=${sidecar.token}`)
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toContain('text/html')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
  const cookie = page.headers.get('set-cookie')
  expect(cookie).toMatch(/HttpOnly.*SameSite=Strict/i)
  expect((await fetch(`${sidecar.url}/`, { headers: { cookie: cookie!.split(';')[0]! } })).status).toBe(200)
})

test('a foreign Host or Origin is refused even with the token', async () => {
  expect(await raw('/api/status', bearer())).toBe(200)
  expect(await raw('/api/status', { ...bearer(), host: 'evil.example' })).toBe(403)
  expect(await raw('/api/status', { ...bearer(), origin: 'https://evil.example' })).toBe(403)
  expect(await raw('/api/status', { ...bearer(), origin: sidecar.url })).toBe(200)
})

test.each([
  ['POST', '/api/queue', '{"packId":', 400, 'bad_request'],
  ['POST', '/api/queue', '{}', 400, 'bad_request'],
  ['POST', '/api/queue', '{"packId":"example/none.txt"}', 404, 'pack_not_found'],
  ['POST', '/api/queue', '{"packId":"example/../../package.txt"}', 404, 'pack_not_found'],
  ['POST', '/api/queue', '{"packId":"example/portraits.txt","prompts":[99]}', 400, 'bad_request'],
  ['POST', '/api/queue', '{"packId":"example/portraits.txt","settings":{"steps":0}}', 400, 'bad_request'],
  ['POST', '/api/queue/move', '{"ids":[77],"target":{}}', 400, 'bad_request'],
  ['POST', '/api/queue/move', '{"ids":[77],"target":{"to":"top"}}', 409, 'job_state'],
  ['POST', '/api/queue/move', '{"ids":[],"target":{"to":"top"}}', 400, 'bad_request'],
  ['POST', '/api/queue/edit', '{"ids":[77],"change":{"steps":5}}', 409, 'job_state'],
  ['POST', '/api/queue/edit', '{"ids":[77],"change":{"steps":0}}', 400, 'bad_request'],
  ['POST', '/api/queue/edit', '{"ids":[77],"change":{"source":null}}', 400, 'bad_request'],
  ['POST', '/api/queue/priority', '{"ids":[77],"priority":"urgent"}', 400, 'bad_request'],
  ['POST', '/api/queue/duplicate', '{"ids":[77]}', 404, 'job_not_found'],
  ['POST', '/api/queue/pause', '{"running":"explode"}', 400, 'bad_request'],
  ['GET', '/api/queue/ids?limit=9999', undefined, 400, 'bad_request'],
  ['POST', '/api/jobs/77/cancel', '', 404, 'job_not_found'],
  ['POST', '/api/jobs/x/cancel', '', 400, 'bad_request'],
  ['PUT', '/api/settings', '{"version":1}', 400, 'bad_request'],
  ['GET', '/api/images/77', undefined, 404, 'image_not_found'],
  ['GET', '/api/images?limit=9999', undefined, 400, 'bad_request'],
  ['GET', '/api/nothing', undefined, 404, 'not_found'],
  ['DELETE', '/api/queue', undefined, 404, 'not_found'],
])('%s %s with %s answers %i %s', async (method, path, body, status, code) => {
  const answer = await sidecar.request(path, { method, body })
  expect(answer.status).toBe(status)
  expect(await answer.json()).toEqual({ code, message: expect.stringMatching(/.{10}/) })
})

test('a body over the limit is refused without being read whole', async () => {
  const answer = await sidecar.request('/api/queue', { method: 'POST', body: 'x'.repeat(3 * 2 ** 20) })
  expect(answer.status).toBe(413)
  expect(await answer.json()).toMatchObject({ code: 'too_large' })
})

test('a stored password never leaves the sidecar and is kept when its mark comes back', async () => {
  const before = await sidecar.get<Record<string, unknown>>('/api/settings')
  const backend = { id: 'one', kind: 'sdapi', url: 'http://127.0.0.1:1', username: 'me', password: 'hunter2' }
  await sidecar.request('/api/settings', { method: 'PUT', body: JSON.stringify({ ...before, backends: [backend] }) })
  const told = await (await sidecar.request('/api/settings')).text()
  expect(told).not.toContain('hunter2')
  await sidecar.request('/api/settings', { method: 'PUT', body: told })
  const { readFileSync } = await import('node:fs')
  expect(readFileSync(`${sidecar.dataDir}/settings.json`, 'utf8')).toContain('hunter2')
  await sidecar.request('/api/settings', { method: 'PUT', body: JSON.stringify(before) })
})
