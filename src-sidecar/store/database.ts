import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import BetterSqlite3 from 'better-sqlite3'
import { AppError, asError } from '../errors/app-error.ts'
import { writeBackup } from './backup-files.ts'
import { migrations } from './migrations/index.ts'

export type Database = BetterSqlite3.Database

/**
 * Opens the database, backs it up and migrates it where it is older than the code.
 * @param path of the file; its folder must exist.
 * @param backupFolder takes the copy made before a migration.
 * @throws AppError `database_newer` (the file is not touched) or `database_broken`.
 */
export async function openDatabase(path: string, backupFolder: string): Promise<Database> {
  if (existsSync(path)) refuseNewer(path)
  const database = open(path)
  try {
    await chmod(path, 0o600)
    const version = userVersion(database)
    if (version > 0 && version < migrations.length)
      await writeBackup(database, path, backupFolder, 'migration', `${version}.${stamp()}`)
    migrate(database, version)
    return database
  } catch (error) {
    database.close()
    throw isDamage(error) ? broken(path, error) : error
  }
}

/** Writes something small, and waits for the disk. @throws what SQLite says */
export function probeDatabase(database: Database, nowMs: number): void {
  database.prepare(`INSERT OR REPLACE INTO flags (name, value) VALUES ('probe', ?)`).run(nowMs)
}

const stamp = (): string => new Date().toISOString().replaceAll(':', '-')

class NoDatabase extends Error {}

const isDamage = (error: unknown): boolean =>
  error instanceof NoDatabase || (error instanceof BetterSqlite3.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code))

function open(path: string): Database {
  let database: Database | undefined
  try {
    database = new BetterSqlite3(path, { timeout: 5000 })
    database.pragma('journal_mode = WAL')
    // An acknowledged row survives a power cut, not only a crash of ours.
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    return database
  } catch (error) {
    database?.close()
    throw broken(path, error)
  }
}

/** Looks first, without touching: a database of a newer StableNew is not even opened for writing. */
function refuseNewer(path: string): void {
  let version: number
  try {
    version = Math.max(headerVersion(path), journalVersion(path))
  } catch (error) {
    throw broken(path, error)
  }
  if (version > migrations.length) {
    throw new AppError(
      'database_newer',
      `The database ${path} was written by a newer StableNew (version ${version}; this one knows ${migrations.length}). Nothing was changed: start the newer StableNew, or use another --data-dir.`,
      { data: { path, version } },
    )
  }
}

/** `user_version` as the file has it (SQLite's file format, 1.3): its own reader would leave journal files behind. */
function headerVersion(path: string): number {
  const header = Buffer.alloc(100)
  const file = openSync(path, 'r')
  try {
    if (readSync(file, header) === 0) return 0
  } finally {
    closeSync(file)
  }
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new NoDatabase('file is not a database')
  return header.readInt32BE(60)
}

/** The same where a crash left a journal that the file has not taken in; 0 without one. */
function journalVersion(path: string): number {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return 0
  const reader = new BetterSqlite3(path, { readonly: true, timeout: 5000 })
  try {
    return userVersion(reader)
  } finally {
    reader.close()
  }
}

const broken = (path: string, error: unknown): AppError =>
  new AppError(
    'database_broken',
    `The database ${path} can't be opened: ${asError(error).message}. Move it away to start with an empty one.`,
    {
      cause: error,
      data: { path, damaged: isDamage(error) },
    },
  )

const userVersion = (database: Database): number => database.pragma('user_version', { simple: true }) as number

function migrate(database: Database, from: number): void {
  for (const [index, sql] of migrations.entries()) {
    if (index < from) continue
    database.transaction(() => {
      database.exec(sql)
      database.pragma(`user_version = ${index + 1}`)
    })()
  }
}
