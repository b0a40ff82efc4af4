import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../../src-sidecar/store/database.ts'
import { migrations } from '../../../src-sidecar/store/migrations/index.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

let folder: string
let backups: string
let path: string
const released = [...migrations]

beforeEach(() => {
  folder = tempDir('database')
  backups = join(folder, 'backups')
  mkdirSync(backups)
  path = join(folder, 'stablenew.db')
})

afterEach(() => void (migrations as string[]).splice(0, Number.POSITIVE_INFINITY, ...released))

const laterVersion = (sql: string) => void (migrations as string[]).push(sql)
const version = (file: string) => {
  const database = new Sqlite(file, { readonly: true })
  try {
    return database.pragma('user_version', { simple: true })
  } finally {
    database.close()
  }
}
const bytesIn = (where: string) =>
  Object.fromEntries(
    readdirSync(where, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(where, name)))
          .digest('hex'),
      ]),
  )
const openFiles = () =>
  readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return ''
      }
    })
    .filter((file) => file.startsWith(folder))

async function made(): Promise<void> {
  const database = await openDatabase(path, backups)
  database
    .prepare(`INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, recipe, images_wanted, created_at_ms)
    VALUES ('user/a.txt', 'a', 0, 'queued', 1, '{}', 1, 0)`)
    .run()
  database.close()
}

describe('a new database', () => {
  test('has every migration, and no backup was needed', async () => {
    const database = await openDatabase(path, backups)
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length)
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(database.pragma('synchronous', { simple: true })).toBe(2)
    expect(database.pragma('foreign_keys', { simple: true })).toBe(1)
    database.close()
    expect(readdirSync(backups)).toEqual([])
  })

  test.runIf(process.platform !== 'win32')('is for its owner only, its journal too', async () => {
    const database = await openDatabase(path, backups)
    database.exec('CREATE TABLE more (id INTEGER)')
    for (const name of ['stablenew.db', 'stablenew.db-wal', 'stablenew.db-shm'])
      expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, '600'])
    database.close()
  })

  test('leaves one file when it is closed', async () => {
    await made()
    expect(Object.keys(bytesIn(folder))).toEqual(['stablenew.db'])
  })
})

test('an empty file counts as a new one', async () => {
  writeFileSync(path, '')
  ;(await openDatabase(path, backups)).close()
  expect(version(path)).toBe(migrations.length)
})

describe('a database of an older version', () => {
  test('is backed up as it was, then migrated, with its rows', async () => {
    await made()
    const old = migrations.length
    laterVersion('ALTER TABLE jobs ADD COLUMN colour TEXT')
    const database = await openDatabase(path, backups)
    expect(database.prepare('SELECT pack_name, colour FROM jobs').get()).toEqual({ pack_name: 'a', colour: null })
    database.close()
    expect(version(path)).toBe(old + 1)
    const [backup] = readdirSync(backups)
    expect(backup).toMatch(new RegExp(`^stablenew\\.db\\.v${old}\\.\\d{4}-`))
    const file = join(backups, backup!)
    expect(version(file)).toBe(old)
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
    const copy = new Sqlite(file, { readonly: true })
    expect(copy.prepare('SELECT pack_name FROM jobs').all()).toEqual([{ pack_name: 'a' }])
    copy.close()
  })

  test('keeps the newest seven backups', async () => {
    await made()
    for (let at = 0; at < 9; at++) writeFileSync(join(backups, `stablenew.db.v1.2020-01-0${at}`), '')
    writeFileSync(join(backups, 'mine.db'), '')
    laterVersion('CREATE TABLE later (id INTEGER)')
    ;(await openDatabase(path, backups)).close()
    const kept = readdirSync(backups)
    expect(kept).toHaveLength(8)
    expect(kept).toContain('mine.db')
    expect(kept).not.toContain('stablenew.db.v1.2020-01-02')
    expect(kept).toContain('stablenew.db.v1.2020-01-03')
  })

  test('whose migration fails stays as it was, and closed', async () => {
    await made()
    const old = migrations.length
    laterVersion('CREATE TABLE half (id INTEGER); CREATE TABLE half (id INTEGER)')
    await expect(openDatabase(path, backups)).rejects.toThrow(/half/)
    expect(version(path)).toBe(old)
    expect(openFiles()).toEqual([])
    const database = new Sqlite(path, { readonly: true })
    expect(database.prepare(`SELECT count(*) AS n FROM sqlite_master WHERE name = 'half'`).get()).toEqual({ n: 0 })
    database.close()
  })

  test('is not migrated where it cannot be backed up', async () => {
    await made()
    const old = migrations.length
    laterVersion('CREATE TABLE later (id INTEGER)')
    await expect(openDatabase(path, join(folder, 'none'))).rejects.toThrow()
    expect(version(path)).toBe(old)
    expect(openFiles()).toEqual([])
  })
})

test('images of before there were stages are final images of the first stage', async () => {
  const old = new Sqlite(path)
  for (const sql of released.slice(0, 2)) old.exec(sql)
  old.pragma('user_version = 2')
  old.exec(`INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, recipe, images_wanted, created_at_ms)
      VALUES ('user/a.txt', 'a', 0, 'completed', 1, '{"width": 64, "height": 64, "steps": 1}', 1, 0);
    INSERT INTO images (id, job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms)
      VALUES (7, 1, 0, '/a.png', 64, 64, 1, 2, 'm', 'b', 3, 'p', 4)`)
  old.close()
  const database = await openDatabase(path, backups)
  expect(database.prepare('SELECT * FROM images').all()).toMatchObject([{ id: 7, stage: 0, intermediate: 0, path: '/a.png' }])
  const insert = (stage: number) =>
    database.exec(`INSERT INTO images (job_id, image_index, stage, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms)
      VALUES (1, 0, ${stage}, '/${stage}.png', 64, 64, 1, 2, 'm', 'b', 3, 'p', 4)`)
  insert(1)
  expect(() => insert(1)).toThrow(/UNIQUE/)
  expect(database.prepare('SELECT max(id) AS id FROM images').get()).toEqual({ id: 8 })
  database.close()
})

describe('a database of a newer version', () => {
  test.each(['wal', 'delete'])('is refused, and not a byte is changed (journal mode %s)', async (mode) => {
    const newer = new Sqlite(path)
    newer.pragma(`journal_mode = ${mode}`)
    newer.exec('CREATE TABLE wonders (id INTEGER)')
    newer.pragma('user_version = 99')
    newer.close()
    const before = bytesIn(folder)
    await expect(openDatabase(path, backups)).rejects.toMatchObject({
      code: 'database_newer',
      message: expect.stringContaining('99'),
      data: { path, version: 99 },
    })
    expect(bytesIn(folder)).toEqual(before)
    expect(readdirSync(backups)).toEqual([])
    expect(openFiles()).toEqual([])
  })
})

test('a newer version that only the journal of a crash knows is refused, and neither is changed', async () => {
  await made()
  const crashed = tempDir('crashed')
  const newer = new Sqlite(path)
  newer.pragma('user_version = 99')
  for (const name of ['stablenew.db', 'stablenew.db-wal']) copyFileSync(join(folder, name), join(crashed, name))
  newer.close()
  const before = bytesIn(crashed)
  await expect(openDatabase(join(crashed, 'stablenew.db'), backups)).rejects.toMatchObject({ code: 'database_newer' })
  expect(bytesIn(crashed)).toMatchObject(before)
})

describe('what is no database', () => {
  test.each<[string, () => void]>([
    ['text', () => writeFileSync(path, 'this is not a database, '.repeat(400))],
    ['a folder', () => mkdirSync(path)],
  ])('is a clear error, is left alone and not held: %s', async (_, make) => {
    make()
    const before = bytesIn(folder)
    await expect(openDatabase(path, backups)).rejects.toMatchObject({
      code: 'database_broken',
      message: expect.stringContaining(path),
    })
    expect(bytesIn(folder)).toEqual(before)
    expect(openFiles()).toEqual([])
  })

  test('is a clear error where the file was cut off', async () => {
    await made()
    truncateSync(path, 4096 + 100)
    laterVersion('CREATE TABLE later (id INTEGER)')
    await expect(openDatabase(path, backups)).rejects.toMatchObject({ code: 'database_broken' })
    expect(openFiles()).toEqual([])
  })

  test('is a clear error where it is damaged behind its header', async () => {
    await made()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xff, 100))
    laterVersion('CREATE TABLE later (id INTEGER)')
    await expect(openDatabase(path, backups)).rejects.toMatchObject({ code: 'database_broken' })
    expect(openFiles()).toEqual([])
  })

  test('is a clear error where there is no folder', async () => {
    await expect(openDatabase(join(folder, 'none', 'a.db'), backups)).rejects.toMatchObject({ code: 'database_broken' })
  })
})
