import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { backupFiles, writeBackup } from '../../../src-sidecar/store/backup-files.ts'
import { DailyBackup } from '../../../src-sidecar/store/daily-backup.ts'
import { openDatabase } from '../../../src-sidecar/store/database.ts'
import { checkMark, openOrRestoreDatabase, restoredNotice } from '../../../src-sidecar/store/restore-database.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { silent } from '../jobs/queue-fixture.ts'

let folder: string
let backups: string
let path: string
const nowMs = Date.UTC(2026, 0, 5)

beforeEach(() => {
  folder = tempDir('restore')
  backups = join(folder, 'backups')
  mkdirSync(backups)
  path = join(folder, 'stablenew.db')
})

const open = () => openDatabase(path, backups)
const flag = (name: string) => `INSERT INTO flags (name, value) VALUES ('${name}', 1)`
const restore = (check = false) => openOrRestoreDatabase(path, backups, { check, nowMs })

/** A database with `flags`, of which each has a backup of its own, the later the newer; only the last is in no backup. */
async function made(...flags: string[]): Promise<void> {
  const database = await open()
  for (const [at, name] of flags.entries()) {
    database.exec(flag(name))
    if (at === flags.length - 1) continue
    const file = await writeBackup(database, path, backups, 'daily', `2026-01-0${at}`)
    utimesSync(file, at, at)
  }
  database.close()
}

const flagsOf = async (check = false) => {
  const { database, restored } = await restore(check)
  const names = database.prepare('SELECT name FROM flags ORDER BY name').pluck().all()
  database.close()
  return { names, restored }
}

const spoil = (file: string) => writeFileSync(file, readFileSync(file).fill(0xff, 200))

describe('a damaged database', () => {
  test.each<[string, () => void]>([
    ['is no database at all', () => writeFileSync(path, 'text, '.repeat(2000))],
    ['was overwritten behind its header', () => spoil(path)],
  ])('that %s is set aside, and the newest backup takes its place', async (_, damage) => {
    await made('a', 'b', 'c')
    damage()
    const bytes = readFileSync(path)
    const { names, restored } = await flagsOf(true)
    expect(names).toEqual(['a', 'b'])
    expect(restored?.backupAtMs).toBe(1000)
    expect(readFileSync(restored!.setAside)).toEqual(bytes)
    expect(restoredNotice(restored!)).toContain(restored!.setAside)
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('is restored from an older backup where the newest is damaged too', async () => {
    await made('a', 'b', 'c')
    spoil(join(backups, 'stablenew.db.daily.2026-01-01'))
    spoil(path)
    expect((await flagsOf(true)).names).toEqual(['a'])
  })

  test('without a good backup gives way to an empty one', async () => {
    await made('a')
    spoil(path)
    const { names, restored } = await flagsOf(true)
    expect(names).toEqual([])
    expect(restored).toMatchObject({ backupAtMs: null })
    expect(existsSync(restored!.setAside)).toBe(true)
  })

  test('is found where only a check of the whole file shows it', async () => {
    const database = await open()
    database.exec(flag('a'))
    await writeBackup(database, path, backups, 'daily', '1')
    const insert = database.prepare(`INSERT INTO flags (name, value) VALUES (?, 1)`)
    database.transaction(() => {
      for (let at = 0; at < 2000; at++) insert.run(`${at}`.padStart(40, '0'))
    })()
    database.close()
    const bytes = readFileSync(path)
    const at = bytes.indexOf(`${1500}`.padStart(40, '0'))
    writeFileSync(path, bytes.fill(0xff, at - (at % 4096), at - (at % 4096) + 4096))
    const unchecked = await restore(false)
    expect(unchecked.restored).toBeNull()
    unchecked.database.close()
    expect((await flagsOf(true)).names).toEqual(['a'])
  })
})

test('a mark beside the database has it read whole, and goes once that is done', async () => {
  await made('a', 'b')
  spoil(path)
  writeFileSync(checkMark(path), '')
  expect((await flagsOf(false)).names).toEqual(['a'])
  expect(existsSync(checkMark(path))).toBe(false)
})

test('a whole database is opened as it is', async () => {
  await made('a', 'b')
  expect(await flagsOf(true)).toEqual({ names: ['a', 'b'], restored: null })
  expect(readdirSync(folder).toSorted()).toEqual(['backups', 'stablenew.db'])
})

test('what is out of reach is no damage, and nothing is moved', async () => {
  mkdirSync(path)
  await expect(restore()).rejects.toMatchObject({ code: 'database_broken' })
  expect(existsSync(path)).toBe(true)
  expect(readdirSync(folder).toSorted()).toEqual(['backups', 'stablenew.db'])
})

describe('the daily backup', () => {
  const daily = async (notices: string[] = []) => {
    const database = await open()
    const backup = new DailyBackup({ database, path, folder: backups, logger: silent, notice: (text) => notices.push(text) })
    return { database, backup }
  }

  test('is made where the newest is a day old, is whole, and seven are kept', async () => {
    for (let at = 1; at <= 8; at++) {
      const old = join(backups, `stablenew.db.daily.2020-01-0${at}`)
      writeFileSync(old, '')
      utimesSync(old, at, at)
    }
    writeFileSync(join(backups, 'stablenew.db.daily.2020-01-09.part'), 'of a crash')
    const { database, backup } = await daily()
    database.exec(flag('a'))
    for (let time = 0; time < 2; time++) {
      await backup.start()
      await backup.settled()
    }
    await backup.stop()
    database.close()
    const files = await backupFiles(path, backups)
    expect(files).toHaveLength(7)
    expect(readdirSync(backups).filter((name) => name.endsWith('.part') || /2020-01-0[12]$/.test(name))).toEqual([])
    writeFileSync(path, 'damage')
    expect((await flagsOf()).names).toEqual(['a'])
  })

  test('that is stopped in the middle leaves nothing', async () => {
    const { database, backup } = await daily()
    const insert = database.prepare(`INSERT INTO flags (name, value) VALUES (?, 1)`)
    database.transaction(() => {
      for (let at = 0; at < 20_000; at++) insert.run(`${at}`.padStart(100, '0'))
    })()
    await backup.start()
    await backup.stop()
    expect(await backup.closed).toEqual({ name: 'daily backup' })
    database.close()
    expect(readdirSync(backups)).toEqual([])
  })

  test('is not made of a database that is known to be damaged', async () => {
    const database = await open()
    const about = { database, path, folder: backups, logger: silent, notice: () => {} }
    const backup = new DailyBackup({ ...about, isDamaged: () => true })
    await backup.start()
    await backup.settled()
    await backup.stop()
    database.close()
    expect(readdirSync(backups)).toEqual([])
  })

  test('that cannot be written is told once', async () => {
    const notices: string[] = []
    const { database, backup } = await daily(notices)
    writeFileSync(join(folder, 'file'), '')
    const other = new DailyBackup({
      database,
      path,
      folder: join(folder, 'file'),
      logger: silent,
      notice: (text) => notices.push(text),
    })
    await other.start()
    await other.settled()
    await other.stop()
    await backup.stop()
    database.close()
    expect(notices).toEqual([expect.stringContaining(join(folder, 'file'))])
  })
})
