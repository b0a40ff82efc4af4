import type { StorageTroubleKind } from '../contract/storage.ts'
import { AppError, asError } from '../errors/app-error.ts'

/** A file that could not be written. */
export interface WriteTarget {
  /** The folder that must be there; those below it are made. */
  readonly root: string
  /** Whether a disk begins at the root: without it a folder of another disk is left there. */
  readonly isMounted: boolean
  readonly folder: string
  readonly bytes: number
}

/** A write that the disk or the database has refused; what it would do again. */
export interface StorageFault {
  readonly kind: StorageTroubleKind
  /** Null: the database. */
  readonly target: WriteTarget | null
  /** As the system says it. */
  readonly reason: string
}

const kinds: Readonly<Record<string, StorageTroubleKind>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'read-only',
  EPERM: 'read-only',
  EROFS: 'read-only',
  ENOENT: 'gone',
  ENOTDIR: 'gone',
  ESTALE: 'gone',
  ENOTCONN: 'gone',
  ENODEV: 'gone',
  ENXIO: 'gone',
  EHOSTDOWN: 'gone',
  EHOSTUNREACH: 'gone',
  ETIMEDOUT: 'gone',
}

/** A failed read says that the file is not what was written; a failed write (a full disk, a lost drive) leaves it as it was. */
const damage = /^SQLITE_(CORRUPT|NOTADB|IOERR_(READ|SHORT_READ|DATA|CORRUPTFS))/

/** SQLite's result codes, https://sqlite.org/rescode.html */
function kindOfSqlite(code: string): StorageTroubleKind | undefined {
  if (damage.test(code)) return 'damaged'
  if (code.startsWith('SQLITE_FULL')) return 'full'
  if (/^SQLITE_(READONLY_DBMOVED|CANTOPEN)/.test(code)) return 'gone'
  if (code.startsWith('SQLITE_READONLY')) return 'read-only'
  return code.startsWith('SQLITE_IOERR') ? 'failing' : undefined
}

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** What of a thrown value is the fault of a folder or of the database; undefined where it is something else. */
export function storageFault(error: unknown): StorageFault | undefined {
  if (error instanceof AppError && error.code === 'disk' && error.data.target !== undefined) {
    const target = error.data.target as WriteTarget
    return { kind: kindOfFile(error.cause), target, reason: reasonOf(error.cause ?? error) }
  }
  const kind = kindOfSqlite(codeOf(error))
  return kind && { kind, target: null, reason: reasonOf(error) }
}

/** What the system says, without the call and the file that Node adds. */
export const reasonOf = (error: unknown): string => asError(error).message.replace(/, [a-z]+( '.*)?$/s, '')

/** @param error that the system gave for a file, or a deadline's */
export const kindOfFile = (error: unknown): StorageTroubleKind =>
  error instanceof AppError && error.code === 'timeout' ? 'hangs' : (kinds[codeOf(error)] ?? 'failing')

/** The content of the database is not what was written. */
export const isDamage = (error: unknown): boolean => storageFault(error)?.kind === 'damaged'
