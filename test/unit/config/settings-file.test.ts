import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SettingsFile } from '../../../src-sidecar/config/settings-file.ts'
import { defaultSettings, type Settings } from '../../../src-sidecar/contract/settings.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const now = Date.UTC(2026, 0, 31, 12, 30, 5)

const mine: Settings = {
  version: 2,
  runningImageAtExit: 'ask',
  containment: 'shim',
  recycleAboveMb: null,
  recycleAfterJobs: 50,
  freeMemoryAfterMin: 15,
  backends: [
    { id: 'draft', name: '', enabled: false, kind: 'draft', stepMs: 40 },
    {
      id: 'gpu-2',
      name: 'Second GPU',
      enabled: true,
      kind: 'sdapi',
      url: 'http://127.0.0.1:7860',
      username: 'me',
      password: 'päss',
      hungAfterMin: 10,
      managed: null,
    },
  ],
  recipe: { samplerName: 'DPM++ 2M', scheduler: 'Karras', steps: 30, cfgScale: 5.5, width: 768, height: 1024 },
}

test('where there is no file the defaults are in force, and none is written', async () => {
  const folder = tempDir('settings')
  const file = new SettingsFile(folder)
  expect(await file.load(now)).toBeNull()
  expect(file.current).toEqual(defaultSettings)
  expect(readdirSync(folder)).toEqual([])
})

test('what was saved is read again', async () => {
  const folder = tempDir('settings')
  const file = new SettingsFile(folder)
  await file.save(mine)
  expect(file.current).toEqual(mine)
  const again = new SettingsFile(folder)
  expect(await again.load(now)).toBeNull()
  expect(again.current).toEqual(mine)
  expect(readdirSync(folder)).toEqual(['settings.json'])
})

test.runIf(process.platform !== 'win32')('the file, which may hold a password, is for its owner only', async () => {
  const file = new SettingsFile(tempDir('settings'))
  writeFileSync(file.path, '{}', { mode: 0o644 })
  await file.save(mine)
  expect(statSync(file.path).mode & 0o777).toBe(0o600)
})

test('what is not valid is not saved', async () => {
  const folder = tempDir('settings')
  const file = new SettingsFile(folder)
  await expect(file.save({ ...mine, recipe: { ...mine.recipe, steps: 0 } })).rejects.toThrow()
  expect(file.current).toEqual(defaultSettings)
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  ['not JSON', '{"version": 1,', /not JSON/],
  ['empty', '', /not JSON/],
  ['no settings', '[]', /expected object/],
  ['of a wrong value', JSON.stringify({ ...mine, recipe: { ...mine.recipe, steps: 'many' } }), /recipe\.steps/],
  ['of an unknown backend', JSON.stringify({ ...mine, backends: [{ id: 'a', kind: 'cloud' }] }), /backends\[0\]\.kind/],
  [
    'of a URL that is none',
    JSON.stringify({ ...mine, backends: [{ id: 'a', kind: 'sdapi', url: 'file:///x' }] }),
    /backends\[0\]\.url/,
  ],
  ['of two backends of one id', JSON.stringify({ ...mine, backends: [mine.backends[0], mine.backends[0]] }), /same id/],
  ['of no backend', JSON.stringify({ ...mine, backends: [] }), /one backend/],
])('a file that is %s is set aside and named, and the defaults are in force', async (_, text, why) => {
  const folder = tempDir('settings')
  const file = new SettingsFile(folder)
  writeFileSync(file.path, text)
  const told = await file.load(now)
  const aside = `${file.path}.broken-2026-01-31T12-30-05.000Z`
  expect(told).toMatch(why)
  expect(told).toContain(aside)
  expect(readFileSync(aside, 'utf8')).toBe(text)
  expect(readdirSync(folder)).toHaveLength(1)
  expect(file.current).toEqual(defaultSettings)
})

test('the one backend of a file of version 1 becomes the first of several', async () => {
  const file = new SettingsFile(tempDir('settings'))
  const { backends: _, ...rest } = mine
  const backend = { kind: 'sdapi', url: 'http://127.0.0.1:7860', username: 'me', password: 'päss' }
  writeFileSync(file.path, JSON.stringify({ ...rest, version: 1, backend }))
  expect(await file.load(now)).toBeNull()
  expect(file.current).toEqual({
    ...mine,
    backends: [{ id: 'sdapi', hungAfterMin: 10, name: '', enabled: true, managed: null, ...backend }],
  })
})

test('a file of a newer version is refused and left alone', async () => {
  const folder = tempDir('settings')
  const file = new SettingsFile(folder)
  const newer = '{"version": 3, "wonders": true}'
  writeFileSync(file.path, newer)
  await expect(file.load(now)).rejects.toMatchObject({ code: 'settings_broken', message: expect.stringContaining('version 3') })
  expect(readdirSync(folder)).toEqual(['settings.json'])
  expect(readFileSync(file.path, 'utf8')).toBe(newer)
})

test('a file that cannot be read at all is an error', async () => {
  const file = new SettingsFile(tempDir('settings'))
  mkdirSync(file.path)
  await expect(file.load(now)).rejects.toMatchObject({ code: 'settings_broken', message: expect.stringContaining(file.path) })
})
