import { existsSync } from 'node:fs'
import { copyFile, rename, rm } from 'node:fs/promises'
import BetterSqlite3 from 'better-sqlite3'
import { AppError } from '../errors/app-error.ts'
import { backupFiles } from './backup-files.ts'
import { type Database, openDatabase } from './database.ts'

export interface Restored {
  /** Where the damaged file is now. */
  readonly setAside: string
  /** When the backup that took its place was made; null: there was no good one, and the database is empty. */
  readonly backupAtMs: number | null
}

/** A file beside the database that asks the next start to read it whole: damage was found while it was used. */
export const checkMark = (path: string): string => `${path}.check`

/**
 * As `openDatabase`, but a damaged database is set aside, and the newest backup that is whole takes its place, or an empty
 * one where there is none. Nothing is deleted.
 * @param check reads the whole file first, as damage behind its beginning shows only where it is read; `checkMark` asks for it too
 * @throws AppError `database_newer`, or `database_broken` where the file can't be reached, which is no damage
 */
export async function openOrRestoreDatabase(
  path: string,
  backupFolder: string,
  { check, nowMs }: { check: boolean; nowMs: number },
): Promise<{ database: Database; restored: Restored | null }> {
  const mark = checkMark(path)
  const opened = await openWhole(path, backupFolder, { check: check || existsSync(mark), nowMs })
  // Only now: a start that is cut short in the middle leaves it to the next.
  await rm(mark, { force: true }).catch(() => {})
  return opened
}

async function openWhole(
  path: string,
  backupFolder: string,
  { check, nowMs }: { check: boolean; nowMs: number },
): Promise<{ database: Database; restored: Restored | null }> {
  try {
    const database = await openDatabase(path, backupFolder)
    if (!check || isWhole(database)) return { database, restored: null }
    database.close()
  } catch (error) {
    if (!(error instanceof AppError && error.data.damaged === true)) throw error
  }
  const setAside = `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(':', '-')}`
  for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) await rename(path + end, setAside + end)
  const backupAtMs = await takeNewestBackup(path, backupFolder)
  return { database: await openDatabase(path, backupFolder), restored: { setAside, backupAtMs } }
}

/** @returns when it was made; null where there is no good one */
async function takeNewestBackup(path: string, backupFolder: string): Promise<number | null> {
  const part = `${path}.part`
  for (const { file, atMs } of await backupFiles(path, backupFolder)) {
    await copyFile(file, part)
    if (isWholeFile(part)) {
      await rename(part, path)
      return atMs
    }
    for (const end of ['', '-wal', '-shm']) await rm(part + end, { force: true })
  }
  return null
}

function isWholeFile(path: string): boolean {
  try {
    const database = new BetterSqlite3(path, { fileMustExist: true })
    try {
      return isWhole(database)
    } finally {
      database.close()
    }
  } catch {
    return false
  }
}

const isWhole = (database: Database): boolean => {
  try {
    return database.pragma('quick_check(1)', { simple: true }) === 'ok'
  } catch {
    return false
  }
}

/** What the user is told. */
export function restoredNotice({ setAside, backupAtMs }: Restored): string {
  const what =
    backupAtMs === null
      ? 'There was no good backup, so an empty one took its place'
      : `The backup of ${new Date(backupAtMs).toLocaleString()} took its place; jobs that were queued since then are lost`
  return `The database was damaged and set aside as ${setAside}. ${what}. Images are read back from their own files now.`
}
