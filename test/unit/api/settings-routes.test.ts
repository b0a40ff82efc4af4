import { Hono } from 'hono'
import { beforeEach, expect, test } from 'vitest'
import type { ApiParts } from '../../../src-sidecar/api/api-parts.ts'
import { errorAnswer } from '../../../src-sidecar/api/error-answer.ts'
import { appRoutes } from '../../../src-sidecar/api/routes/app-routes.ts'
import { SettingsFile } from '../../../src-sidecar/config/settings-file.ts'
import { defaultSettings, type Settings } from '../../../src-sidecar/contract/settings.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { silent } from '../jobs/queue-fixture.ts'
import { served } from './served.ts'

const backend = {
  id: 'one',
  name: '',
  enabled: true,
  kind: 'sdapi' as const,
  url: 'http://127.0.0.1:7860',
  username: 'me',
  password: 'S3cret',
  hungAfterMin: 10,
  managed: null,
}
const stored: Settings = {
  ...defaultSettings,
  backends: [backend],
}
let settings: SettingsFile

beforeEach(async () => {
  settings = new SettingsFile(tempDir('settings'))
  await settings.save(stored)
})

/** Only what the settings' routes use. */
async function routes() {
  const parts: Partial<ApiParts> = { settings, saveSettings: (wanted) => settings.save(wanted) }
  const { ask } = await served(() => new Hono().onError(errorAnswer(silent)).route('/', appRoutes(parts as ApiParts)))
  return { ask, put: (wanted: unknown) => ask('/settings', { method: 'PUT', body: JSON.stringify(wanted) }) }
}
const at = (change: object) => ({ ...stored, backends: [{ ...backend, ...change }] })
const password = () => settings.current.backends.map((one) => (one.kind === 'sdapi' ? one.password : null))[0]

test('the password never leaves the sidecar', async () => {
  const { ask, put } = await routes()
  for (const answer of [await ask('/settings'), await put(stored)]) {
    expect(answer.json).toEqual(at({ password: '•' }))
    expect(answer.text).not.toContain('S3cret')
  }
})

test('the mark keeps the stored password, as long as it goes to the same server', async () => {
  const { put } = await routes()
  expect((await put(at({ password: '•', hungAfterMin: 10, username: 'you' }))).status).toBe(200)
  expect(password()).toBe('S3cret')
  await put(at({ password: '•', hungAfterMin: 10, url: 'http://evil.example' }))
  expect(password()).toBe('')
})

test('a password can be changed and taken away', async () => {
  const { put } = await routes()
  await put(at({ password: 'other' }))
  expect(password()).toBe('other')
  expect((await put(at({ password: '' }))).json).toEqual(at({ password: '' }))
})

test('what is no settings is refused, and what is stored stays', async () => {
  const { put } = await routes()
  for (const wrong of [{}, at({ url: 'javascript:alert(1)' }), { ...stored, version: 3 }, [], null]) {
    expect(await put(wrong)).toMatchObject({ status: 400, json: { code: 'bad_request' } })
  }
  expect(settings.current).toEqual(stored)
})
