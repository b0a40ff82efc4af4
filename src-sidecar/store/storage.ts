import { writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { StorageTrouble } from '../contract/storage.ts'
import { AppError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import { checkMark } from './restore-database.ts'
import { kindOfFile, reasonOf, type StorageFault, storageFault } from './storage-fault.ts'
import { storageMessage } from './storage-message.ts'
import type { WriteDeadline } from './write-deadline.ts'
import { freeBytes, probeTarget } from './write-target.ts'

/** What comes back within this time was never gone: it is not logged again. */
const sameWithinMs = 60_000

export interface StorageOptions {
  readonly databasePath: string
  /** Writes something to the database, and waits for the disk. @throws what SQLite says */
  readonly probeDatabase: () => void
  readonly deadline: WriteDeadline
  readonly logger: Logger
  readonly onTrouble: (trouble: StorageTrouble | null) => void
  /** How often it looks whether the folder can be written again. */
  readonly probeEveryMs?: number
}

/**
 * Whether images and database can be written. Whoever fails to write reports it; then all wait, and one looks after it.
 * States: well → in trouble (until a probe succeeds) → well …, or damaged (until the app ends).
 */
export class Storage implements Component {
  readonly name = 'storage'
  readonly #options: StorageOptions
  readonly #closed = deferred<ComponentExit>()
  #fault: StorageFault | undefined
  #trouble: StorageTrouble | null = null
  #cleared = Promise.withResolvers<void>()
  #troubled = Promise.withResolvers<void>()
  #looking: Promise<void> | undefined
  /** A probe that was given up is still in the system's hands: there is no second one. */
  #probing: Promise<StorageFault | null> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #inHand = 0
  #told = 'null'
  #last = { what: '', atMs: 0 }

  constructor(options: StorageOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Why nothing can be written now; null where it can. */
  get trouble(): StorageTrouble | null {
    return this.#trouble
  }

  /** Whether a write that was given up is still in the system's hands. */
  get hangs(): boolean {
    return this.#options.deadline.hangs
  }

  /** For the write of a file: as `WriteDeadline.within`. */
  readonly within = <T>(what: string, work: Promise<T>): Promise<T> => this.#options.deadline.within(what, work)

  async start(): Promise<void> {}

  /** The end begins: it looks no more, and a write has less time. */
  close(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#options.deadline.close()
  }

  /** What hangs in the system's hands is not waited for. */
  async stop(): Promise<void> {
    this.close()
    await this.#looking
    this.#closed.resolve({ name: this.name })
  }

  /** How many images wait in memory: part of what the user is told. */
  setInHand(images: number): void {
    if (images === this.#inHand) return
    this.#inHand = images
    if (this.#trouble !== null) this.#tell({ ...this.#trouble, inHand: images })
  }

  /**
   * Somebody could not write.
   * @returns whether the folder or the database is the reason, so that waiting helps; false where it takes other files, or it is
   * something else.
   */
  async report(error: unknown): Promise<boolean> {
    const fault = storageFault(error)
    if (fault === undefined) return false
    if (this.#fault === undefined && fault.target !== null && fault.kind !== 'hangs') {
      const refused = await this.#probe(fault)
      if (refused === null) return false
      await this.#hold(refused)
    } else await this.#hold(fault)
    return true
  }

  /** Settles when all is well: at once, or after the trouble. With damage it never does. */
  get untilWell(): Promise<void> {
    return this.#trouble === null ? Promise.resolve() : this.#cleared.promise
  }

  /** Settles once something can't be written: at once where that is so. */
  get untilTrouble(): Promise<void> {
    return this.#trouble === null ? this.#troubled.promise : Promise.resolve()
  }

  /** Looks now whether it can be written again. Never throws. */
  look(): Promise<void> {
    clearTimeout(this.#timer)
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** The same for the user, who is told at once. @throws AppError `disk` or `database_broken` where it still can't be written */
  async tryAgain(): Promise<void> {
    await this.look()
    if (this.#trouble !== null) throw asAppError(this.#trouble)
  }

  /** Reports it, and says what to tell whoever asked for the work; undefined where disk and database have no part in it. */
  async errorOf(thrown: unknown): Promise<AppError | undefined> {
    if (thrown instanceof AppError && thrown.data.storage !== undefined) return thrown
    if (!(await this.report(thrown)) || this.#trouble === null) return undefined
    return asAppError(this.#trouble)
  }

  async #hold(fault: StorageFault): Promise<void> {
    if (this.#fault?.kind === 'damaged' || (this.#fault !== undefined && fault.kind !== 'damaged')) return
    if (fault.kind === 'damaged') this.#askForCheck()
    await this.#is(fault, Date.now())
    this.#lookLater()
  }

  /** In force at once; told when it is known how much space is left. */
  async #is(fault: StorageFault, sinceMs: number): Promise<void> {
    const folder = this.#folderOf(fault)
    const { kind, reason } = fault
    const trouble = (free: number | null): StorageTrouble => {
      const message = storageMessage({ kind, folder, freeBytes: free, reason })
      return { kind, folder, freeBytes: free, sinceMs, inHand: this.#inHand, message }
    }
    this.#fault = fault
    this.#trouble ??= trouble(null)
    this.#troubled.resolve()
    // Asked of a folder that hangs it would hang too.
    const free = kind === 'hangs' ? null : await freeBytes(folder)
    if (this.#fault !== fault) return
    const now = trouble(free)
    const what = `${kind} ${folder}`
    if (what !== this.#last.what || Date.now() - this.#last.atMs > sameWithinMs)
      this.#options.logger.error({ kind, folder, freeBytes: free, reason }, now.message)
    this.#last = { what, atMs: Date.now() }
    this.#tell(now)
  }

  #tell(trouble: StorageTrouble | null): void {
    this.#trouble = trouble
    const told = JSON.stringify(trouble)
    if (told === this.#told) return
    this.#told = told
    this.#options.onTrouble(trouble)
  }

  #lookLater(): void {
    clearTimeout(this.#timer)
    if (this.#stopped || this.#fault === undefined || this.#fault.kind === 'damaged') return
    this.#timer = setTimeout(() => void this.look(), this.#options.probeEveryMs ?? 3000)
  }

  async #look(): Promise<void> {
    const fault = this.#fault
    if (fault === undefined || fault.kind === 'damaged' || this.#stopped) return
    const refused = await this.#probe(fault)
    if (this.#fault !== fault) return
    if (refused === null) this.#clear(fault)
    else {
      if (refused.kind === 'damaged') this.#askForCheck()
      await this.#is(refused, this.#trouble?.sinceMs ?? Date.now())
      this.#lookLater()
    }
  }

  #clear(fault: StorageFault): void {
    const folder = this.#folderOf(fault)
    this.#fault = undefined
    this.#last.atMs = Date.now()
    this.#options.logger.info({ folder }, 'the folder can be written again')
    this.#troubled = Promise.withResolvers()
    this.#tell(null)
    this.#cleared.resolve()
    this.#cleared = Promise.withResolvers()
  }

  /** @returns what is wrong now; null where it can be written. Never throws. */
  async #probe(fault: StorageFault): Promise<StorageFault | null> {
    this.#probing ??= this.#tryWrite(fault).finally(() => {
      this.#probing = undefined
    })
    try {
      return await this.#options.deadline.within(`A write to ${this.#folderOf(fault)}`, this.#probing)
    } catch (error) {
      return { ...fault, kind: 'hangs', reason: reasonOf(error) }
    }
  }

  async #tryWrite(fault: StorageFault): Promise<StorageFault | null> {
    const root = dirname(this.#options.databasePath)
    try {
      await probeTarget(fault.target ?? { root, isMounted: false, folder: root, bytes: 0 })
    } catch (error) {
      return { ...fault, kind: kindOfFile(error), reason: reasonOf(error) }
    }
    if (fault.target !== null) return null
    try {
      this.#options.probeDatabase()
      return null
    } catch (error) {
      return storageFault(error) ?? { ...fault, reason: reasonOf(error) }
    }
  }

  #folderOf({ target }: StorageFault): string {
    return target?.root ?? dirname(this.#options.databasePath)
  }

  /** The next start reads the whole file before it uses it. */
  #askForCheck(): void {
    const path = checkMark(this.#options.databasePath)
    try {
      writeFileSync(path, '')
    } catch (error) {
      this.#options.logger.error({ err: error }, `${basename(path)} could not be written: the next start may not see the damage`)
    }
  }
}

const asAppError = ({ kind, message, folder }: StorageTrouble): AppError =>
  new AppError(kind === 'damaged' ? 'database_broken' : 'disk', message, { data: { storage: kind, folder } })
