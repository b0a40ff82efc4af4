import { rmSync } from 'node:fs'
import { chmod, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Database } from './database.ts'

const kept = 7
const partMark = '.part'

/** Why a backup was made: each kind has its own newest seven. */
export type BackupKind = 'migration' | 'daily'

const prefix = (databasePath: string, kind: BackupKind): string =>
  `${basename(databasePath)}.${kind === 'migration' ? 'v' : 'daily.'}`

/**
 * Copies a database that is in use (SQLite's online backup, a hundred pages at a time), then removes older copies of that kind.
 * @param name what follows the kind in the file's name, in the order of time
 * @param signal gives up; nothing is left then
 */
export async function writeBackup(
  database: Database,
  path: string,
  folder: string,
  kind: BackupKind,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const file = join(folder, prefix(path, kind) + name)
  const part = file + partMark
  try {
    const progress = () => {
      signal?.throwIfAborted()
      return 100
    }
    await database.backup(part, { progress })
    await chmod(part, 0o600)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  const older = (await readdir(folder)).filter((one) => one.startsWith(prefix(path, kind)) && !one.endsWith(partMark)).sort()
  for (const one of older.slice(0, -kept)) rmSync(join(folder, one), { force: true })
  return file
}

/** The backups of a database, the newest first. */
export async function backupFiles(path: string, folder: string): Promise<{ file: string; atMs: number }[]> {
  const prefixes = (['migration', 'daily'] as const).map((kind) => prefix(path, kind))
  const names = (await readdir(folder).catch(() => [])).filter(
    (name) => prefixes.some((one) => name.startsWith(one)) && !name.endsWith(partMark),
  )
  const files = names.map((name) => join(folder, name))
  const dated = await Promise.all(files.map(async (file) => ({ file, atMs: (await stat(file)).mtimeMs })))
  return dated.sort((a, b) => b.atMs - a.atMs)
}

/** What a crash left of a backup that was being written. */
export async function removePartialBackups(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (name.endsWith(partMark)) await rm(join(folder, name), { force: true })
}
