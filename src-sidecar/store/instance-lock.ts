import { chmodSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { AppError } from '../errors/app-error.ts'

/**
 * One instance for a data folder. SQLite's exclusive lock on a file of its own: the system lets go of it when the
 * process ends, however it ends, so it can't go stale.
 */
export class InstanceLock {
  readonly #path: string
  #database: BetterSqlite3.Database | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** @returns false where another process holds it. */
  tryAcquire(): boolean {
    let database: BetterSqlite3.Database | undefined
    try {
      database = new BetterSqlite3(this.#path, { timeout: 0 })
      database.pragma('journal_mode = MEMORY')
      database.exec('BEGIN EXCLUSIVE')
      chmodSync(this.#path, 0o600)
      this.#database = database
      return true
    } catch (error) {
      database?.close()
      if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return false
      throw new AppError('disk', `The lock file ${this.#path} can't be used: ${(error as Error).message}`, { cause: error })
    }
  }

  release(): void {
    this.#database?.close()
    this.#database = undefined
  }
}
