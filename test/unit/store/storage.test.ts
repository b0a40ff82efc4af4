import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageTrouble } from '../../../src-sidecar/contract/storage.ts'
import { AppError } from '../../../src-sidecar/errors/app-error.ts'
import { ImageArchive } from '../../../src-sidecar/history/image-archive.ts'
import { openLog } from '../../../src-sidecar/logging/logger.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { LowSpace } from '../../../src-sidecar/store/low-space.ts'
import { checkMark } from '../../../src-sidecar/store/restore-database.ts'
import type { Storage } from '../../../src-sidecar/store/storage.ts'
import { storageFault } from '../../../src-sidecar/store/storage-fault.ts'
import { WriteDeadline } from '../../../src-sidecar/store/write-deadline.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { newDatabase, newStorage } from '../jobs/queue-fixture.ts'

let database: Database
let root: string
let archive: ImageArchive
let storage: Storage
let deadline: WriteDeadline
let told: (StorageTrouble | null)[]

beforeEach(async () => {
  const fresh = await newDatabase()
  database = fresh.database
  root = join(fresh.folder, 'images')
  mkdirSync(root)
  deadline = new WriteDeadline({ hangsAfterMs: 100 })
  told = []
  storage = newStorage(database, { deadline, onTrouble: (trouble) => told.push(trouble) })
  archive = new ImageArchive(root, storage.within)
  await archive.removeLeftovers()
})
afterEach(async () => {
  await storage.stop()
  database.close()
})

const save = (name = 'day/cat.png', record?: () => boolean) => archive.save(Buffer.from('picture'), name, record)
const failed = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable('it was written'),
    (error) => error,
  )
const coded = (code: string) => Object.assign(new Error(code), { code })
const onDisk = (cause: Error) =>
  new AppError('disk', 'no', { cause, data: { target: { root: '/', isMounted: false, folder: '/', bytes: 1 } } })

describe('what a failed write says', () => {
  test.each([
    ['full', ['ENOSPC', 'EDQUOT', 'EFBIG', 'SQLITE_FULL']],
    ['read-only', ['EACCES', 'EPERM', 'EROFS', 'SQLITE_READONLY', 'SQLITE_READONLY_DIRECTORY']],
    ['gone', ['ENOENT', 'ENOTDIR', 'ESTALE', 'ENOTCONN', 'SQLITE_READONLY_DBMOVED', 'SQLITE_CANTOPEN']],
    ['failing', ['EIO', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_SHMSIZE']],
    ['damaged', ['SQLITE_CORRUPT', 'SQLITE_CORRUPT_VTAB', 'SQLITE_NOTADB', 'SQLITE_IOERR_READ', 'SQLITE_IOERR_SHORT_READ']],
  ])('that it is %s', (kind, codes) => {
    const kinds = codes.map((code) => storageFault(code.startsWith('SQLITE') ? coded(code) : onDisk(coded(code)))?.kind)
    expect(kinds).toEqual(codes.map(() => kind))
  })

  test('is nothing of ours where it is of another kind', () => {
    for (const error of [coded('ENOENT'), coded('SQLITE_CONSTRAINT'), new AppError('disk', 'a pack'), undefined])
      expect(storageFault(error)).toBeUndefined()
  })
})

describe('a folder that was moved away', () => {
  test('is trouble until it is back; whoever waits goes on, and Resume says at once that it is not there', async () => {
    renameSync(root, `${root}-away`)
    expect(await storage.report(await failed(save()))).toBe(true)
    const message = expect.stringContaining(`${root} is not there`)
    expect(told).toEqual([expect.objectContaining({ kind: 'gone', folder: root, message })])
    let well = false
    const waiting = storage.untilWell.then(() => (well = true))
    await expect(storage.tryAgain()).rejects.toMatchObject({ code: 'disk', message })
    expect([well, told.length, existsSync(root)]).toEqual([false, 1, false])
    renameSync(`${root}-away`, root)
    await storage.tryAgain()
    await waiting
    expect([storage.trouble, told.at(-1)]).toEqual([null, null])
    await save()
    expect(readdirSync(root)).toEqual(['day'])
  })

  test('is found to be back without being asked', async () => {
    storage = newStorage(database, { probeEveryMs: 5 })
    renameSync(root, `${root}-away`)
    await storage.report(await failed(save()))
    renameSync(`${root}-away`, root)
    await storage.untilWell
  })

  test('is in the log once, however often it is looked for', async () => {
    const folder = tempDir('log')
    const log = openLog(folder, 'test.log')
    storage = newStorage(database, { logger: log.logger })
    renameSync(root, `${root}-away`)
    for (let time = 0; time < 3; time++) await storage.report(await failed(save()))
    for (let time = 0; time < 3; time++) await storage.look()
    renameSync(`${root}-away`, root)
    await storage.look()
    await log.close()
    expect(readFileSync(join(folder, 'test.log'), 'utf8').match(/is not there/g)).toHaveLength(1)
  })
})

test('a file that its folder does not take, though it takes others, is no trouble of the folder', async () => {
  expect(await storage.report(await failed(save(`day/${'x'.repeat(300)}.png`)))).toBe(false)
  expect([storage.trouble, told]).toEqual([null, []])
})

describe.skipIf(process.platform === 'win32')('a folder that hangs', () => {
  /** Whoever opens it to write waits until somebody reads. */
  const pipe = (name: string) => {
    const path = `${join(root, name)}.${process.pid}.stablenew-part`
    expect(spawnSync('mkfifo', [path]).status).toBe(0)
    return path
  }
  const release = (path: string) => closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))

  test('is told after the deadline; what is written late is not recorded; only one probe waits for it', async () => {
    const [image, probe] = [pipe('cat.png'), pipe('.stablenew-probe')]
    let recorded = false
    const error = await failed(save('cat.png', () => (recorded = true)))
    expect(await storage.report(error)).toBe(true)
    expect(storage.trouble).toMatchObject({ kind: 'hangs', message: expect.stringContaining('does not answer') })
    for (let time = 0; time < 2; time++) await expect(storage.tryAgain()).rejects.toMatchObject({ code: 'disk' })
    expect([storage.trouble?.kind, storage.hangs, told.length]).toEqual(['hangs', true, 1])
    release(image)
    release(probe)
    await waitFor(() => !storage.hangs, 'the system to let go')
    for (const path of [image, probe]) rmSync(path, { force: true })
    await storage.tryAgain()
    expect([recorded, readdirSync(root)]).toEqual([false, []])
  })

  test('does not hold up the end', async () => {
    const image = pipe('cat.png')
    const patient = new WriteDeadline({ hangsAfterMs: 3_600_000, atCloseMs: 10 })
    const saving = failed(new ImageArchive(root, (what, work) => patient.within(what, work)).save(Buffer.from('x'), 'cat.png'))
    patient.close()
    expect(storageFault(await saving)?.kind).toBe('hangs')
    release(image)
    await waitFor(() => !patient.hangs, 'the system to let go')
  })
})

describe('the database', () => {
  const write = () => database.exec(`INSERT OR REPLACE INTO flags (name, value) VALUES ('a', 1)`)
  const thrown = (work: () => void) => {
    try {
      work()
    } catch (error) {
      return error
    }
    return expect.unreachable('it was written')
  }

  test('that takes nothing is trouble until it does', async () => {
    database.pragma('query_only = 1')
    expect(await storage.report(thrown(write))).toBe(true)
    expect(storage.trouble).toMatchObject({ kind: 'read-only' })
    await storage.look()
    expect(storage.trouble).not.toBeNull()
    database.pragma('query_only = 0')
    await storage.look()
    expect(storage.trouble).toBeNull()
  })

  test('that is damaged stays so, whatever else there is, and the next start is asked to read it whole', async () => {
    renameSync(root, `${root}-away`)
    await storage.report(await failed(save()))
    expect(await storage.report(coded('SQLITE_CORRUPT'))).toBe(true)
    renameSync(`${root}-away`, root)
    await expect(storage.tryAgain()).rejects.toMatchObject({ code: 'database_broken' })
    expect(storage.trouble).toMatchObject({ kind: 'damaged', message: expect.stringContaining('start it again') })
    expect(existsSync(checkMark(database.name))).toBe(true)
  })
})

test('little free space is told once, and again only after there was enough', async () => {
  const notices: string[] = []
  const free: Record<string, number | null> = { images: 3e9, data: null }
  const low = new LowSpace({
    folders: ['images', 'data'],
    notice: (message) => notices.push(message),
    freeBytes: async (folder) => free[folder]!,
  })
  const found = []
  for (const bytes of [3e9, 1.94e9, 1e9, 2.2e9, 1.5e9, 2.6e9, 5e8]) {
    free.images = bytes
    await low.look()
    found.push(notices.length)
  }
  expect(found).toEqual([0, 1, 1, 1, 1, 1, 2])
  expect(notices[0]).toContain('Only 1.9 GB are left on the disk of images')
  expect(notices[1]).toContain('500 MB')
})
