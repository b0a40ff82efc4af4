import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import { backupFiles, removePartialBackups, writeBackup } from './backup-files.ts'
import type { Database } from './database.ts'

const dayMs = 86_400_000
const lookEveryMs = 3_600_000

export interface DailyBackupOptions {
  readonly database: Database
  readonly path: string
  readonly folder: string
  readonly logger: Logger
  readonly notice: (message: string) => void
  /** Of a damaged database no copy is made: it would take the place of a good one. */
  readonly isDamaged?: () => boolean
}

/** Copies the database once a day while the app runs, and keeps seven of the copies. A stop in the middle leaves none. */
export class DailyBackup implements Component {
  readonly name = 'daily backup'
  readonly #options: DailyBackupOptions
  readonly #closed = deferred<ComponentExit>()
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()
  #told = false

  constructor(options: DailyBackupOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Resolves at once; the backup goes on beside the rest. */
  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#work = removePartialBackups(this.#options.folder).then(() => this.#look())
    this.#timer = setInterval(() => {
      this.#work = this.#work.then(() => this.#look())
    }, lookEveryMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#work
    this.#closed.resolve({ name: this.name })
  }

  /** For tests: resolves when what was begun is done. */
  async settled(): Promise<void> {
    await this.#work
  }

  async #look(): Promise<void> {
    const { database, path, folder, logger, notice, isDamaged } = this.#options
    if (this.#stopping.signal.aborted || isDamaged?.()) return
    try {
      const [newest] = await backupFiles(path, folder)
      const nowMs = Date.now()
      if (newest !== undefined && nowMs - newest.atMs < dayMs) return
      const stamp = new Date(nowMs).toISOString().replaceAll(':', '-')
      const file = await writeBackup(database, path, folder, 'daily', stamp, this.#stopping.signal)
      logger.info({ file, ms: Date.now() - nowMs }, 'the database was backed up')
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      logger.error({ err: error }, 'the daily backup failed')
      if (!this.#told)
        notice(
          `The daily backup of the database could not be written to ${folder}: ${(error as Error).message}. It is tried again every hour.`,
        )
      this.#told = true
    }
  }
}
