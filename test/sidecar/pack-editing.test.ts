import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Pack } from '../../src-sidecar/contract/pack.ts'
import type { DraftAnswer, EditablePack, PackEdit, SavedPack } from '../../src-sidecar/contract/pack-edit.ts'
import { closeSidecar, type RunningSidecar } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'

const { start } = trackSidecars()
const id = 'user/owls.txt'
const text = '# My owls\n\nan owl\nneg: text\n\na fox\n'

async function withOwls(): Promise<RunningSidecar & { path: string }> {
  const dataDir = tempDir('sidecar')
  mkdirSync(join(dataDir, 'packs'))
  const path = join(dataDir, 'packs', 'owls.txt')
  writeFileSync(path, text)
  return { ...(await start({ dataDir })), path }
}

const openEdit = (sidecar: RunningSidecar, packId = id) =>
  sidecar.get<EditablePack>(`/api/pack/edit?id=${encodeURIComponent(packId)}`)
const draft = (sidecar: RunningSidecar, version: string, edit: PackEdit) =>
  sidecar.post<DraftAnswer>('/api/pack/draft', { packId: id, version, edit, drawSeed: 1 })

async function send(sidecar: RunningSidecar, method: string, path: string, body: unknown) {
  const answer = await sidecar.request(path, { method, body: JSON.stringify(body) })
  return { status: answer.status, answer: await answer.json() }
}

const withPrompt = ({ rows, matrix }: PackEdit, prompt: string): PackEdit => ({
  rows: rows.map((row, at) => (at === 0 ? { ...row, prompt } : row)),
  matrix,
})

test('an edit is previewed while it is typed, and saved without losing a comment', async () => {
  const sidecar = await withOwls()
  const { version, edit } = await openEdit(sidecar)
  const matrix = { mode: 'fanout' as const, limit: 0, slots: [{ name: 'mood', values: ['sad', 'calm'] }] }
  const wanted = { ...withPrompt(edit, 'a [[mood]] owl (soft'), matrix }
  const answer = await draft(sidecar, version, wanted)
  expect(answer).toMatchObject({ version, preview: { count: '3', problem: null } })
  expect(answer.preview.jobs.map(({ prompt }) => prompt)).toEqual(['a sad owl (soft', 'a calm owl (soft', 'a fox'])
  expect(answer.findings).toMatchObject([{ severity: 'warning', file: 'owls.txt', line: 3, column: 16 }])
  expect(readFileSync(sidecar.path, 'utf8')).toBe(text)

  const { status, answer: saved } = await send(sidecar, 'PUT', '/api/pack', { packId: id, version, edit: wanted })
  expect([status, (saved as SavedPack).version]).toEqual([200, (await openEdit(sidecar)).version])
  expect(readFileSync(sidecar.path, 'utf8')).toBe(text.replace('an owl', 'a [[mood]] owl (soft'))
  expect(await sidecar.get<Pack>(`/api/pack?id=${encodeURIComponent(id)}`)).toMatchObject({
    files: ['owls.txt', 'owls.json'],
    jobCount: '3',
    matrix,
  })
  expect(await openEdit(sidecar)).toMatchObject({ draft: null })
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('what was changed on disk is not written over unless that is asked for, and then is what the user saw', async () => {
  const sidecar = await withOwls()
  const { version, edit } = await openEdit(sidecar)
  const mine = withPrompt(edit, 'an eagle owl')
  await draft(sidecar, version, mine)
  writeFileSync(sidecar.path, 'theirs')
  const now = (await draft(sidecar, version, mine)).version
  expect(now).not.toBe(version)
  const refused = await send(sidecar, 'PUT', '/api/pack', { packId: id, version, edit: mine })
  expect(refused).toMatchObject({ status: 409, answer: { code: 'conflict' } })
  expect(readFileSync(sidecar.path, 'utf8')).toBe('theirs')

  const copied = await send(sidecar, 'POST', '/api/packs', { name: 'mine', copyOf: id, version, edit: mine })
  expect(copied).toMatchObject({ status: 201, answer: { id: 'user/mine.txt' } })
  const whole = text.replace('an owl', 'an eagle owl')
  expect(readFileSync(join(sidecar.path, '../mine.txt'), 'utf8')).toBe(whole)
  await send(sidecar, 'PUT', '/api/pack', { packId: id, version, edit: mine, overwrite: true })
  expect(readFileSync(sidecar.path, 'utf8')).toBe(whole)
})

test('a draft survives a crash of the app, and is gone once it is discarded', async () => {
  const sidecar = await withOwls()
  const { version, edit } = await openEdit(sidecar)
  const mine = withPrompt(edit, 'an eagle owl')
  await draft(sidecar, version, mine)
  sidecar.child.kill('SIGKILL')
  await sidecar.ended
  const next = await start({ dataDir: sidecar.dataDir })
  expect((await openEdit(next)).draft).toMatchObject({ version, edit: mine })
  await next.request('/api/pack/draft/discard', { method: 'POST', body: JSON.stringify({ packId: id }) })
  expect((await openEdit(next)).draft).toBeNull()
  expect(readdirSync(join(sidecar.dataDir, 'drafts'))).toEqual([])
})

test('examples stay as they are: they are edited as a copy', async () => {
  const sidecar = await withOwls()
  const packId = 'example/portraits.txt'
  const { version, edit } = await openEdit(sidecar, packId)
  const refused = await send(sidecar, 'PUT', '/api/pack', { packId, version, edit: withPrompt(edit, 'mine') })
  expect(refused).toMatchObject({ status: 400, answer: { message: expect.stringMatching(/Save it as a copy/) } })
  const copied = await send(sidecar, 'POST', '/api/packs', { name: 'portraits', copyOf: packId })
  expect(copied).toMatchObject({ status: 201, answer: { id: 'user/portraits.txt', version: expect.any(String) } })
  if (process.platform !== 'win32') expect(statSync(join(sidecar.path, '../portraits.txt')).mode & 0o777).toBe(0o600)
})

test('a new pack can not have a name that is taken or that some system has no file for', async () => {
  const sidecar = await withOwls()
  for (const [name, status, message] of [
    ['owls', 409, /There is a pack "owls" already/],
    ['OWLS', 409, /already/],
    ['../owls', 400, /can't have "\/"/],
    ['a\\b', 400, /can't have/],
    ['con', 400, /device on Windows/],
    ['.hidden', 400, /dot/],
    ['  ', 400, /needs a name/],
  ] as const)
    expect(await send(sidecar, 'POST', '/api/packs', { name }), name).toMatchObject({
      status,
      answer: { message: expect.stringMatching(message) },
    })
  expect(readdirSync(join(sidecar.path, '..'))).toEqual(['owls.txt'])
})

test('a new pack has a prompt to begin with', async () => {
  const sidecar = await withOwls()
  const { answer } = await send(sidecar, 'POST', '/api/packs', { name: 'My first' })
  expect(await sidecar.get<Pack>(`/api/pack?id=${encodeURIComponent((answer as SavedPack).id)}`)).toMatchObject({
    name: 'My first',
    promptCount: 1,
    findings: [],
  })
})
