import { createHash } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { decodedPicture } from '../backends/decoded-picture.ts'
import type { ReadPicture } from '../contract/picture-settings.ts'
import { AppError, asError } from '../errors/app-error.ts'
import { settingsOfPicture } from './picture-settings.ts'

const formats = ['png', 'jpeg', 'webp'] as const

/** Pictures that the user drops on the window: what they say, and copies of those that jobs begin with. */
export class DroppedPictures {
  readonly #folder: string
  /** Names of files that were dropped in this run. */
  readonly #kept = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws AppError `picture_unreadable` */
  async read(picture: Buffer): Promise<ReadPicture> {
    const { format, width, height } = await headOf(picture).catch(unreadable)
    const known = formats.find((one) => one === format)
    if (known === undefined) throw new AppError('picture_unreadable', `A ${format} is no PNG, JPEG or WebP.`)
    return { format: known, width, height, settings: settingsOfPicture(picture) }
  }

  /**
   * Keeps a copy for the job that `queue` makes of it, named for its bytes, so that the same picture is kept once. Where `queue`
   * throws, none is left.
   * @throws AppError `picture_unreadable` where it is damaged, `disk`, and what `queue` throws
   */
  async keep<T>(picture: Buffer, queue: (path: string) => T): Promise<T> {
    const { format } = await this.read(picture)
    await decodedPicture(picture).catch(unreadable)
    const hash = createHash('sha256').update(picture).digest('hex').slice(0, 32)
    const name = `${hash}.${format === 'jpeg' ? 'jpg' : format}`
    const path = join(this.#folder, name)
    this.#kept.add(name)
    const isNew = !existsSync(path)
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      if (isNew) await writeFileAtomic(path, picture, { mode: 0o600 })
    } catch (error) {
      throw new AppError('disk', `The picture could not be written to ${path}: ${asError(error).message}.`, { cause: error })
    }
    try {
      return queue(path)
    } catch (error) {
      if (isNew) await rm(path, { force: true })
      throw error
    }
  }

  /** Names of the files that were written before this moment, and were not dropped again since the start. */
  async olderThan(ms: number): Promise<Set<string>> {
    const old = new Set<string>()
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const stats = await stat(join(this.#folder, name)).catch(() => null)
      if (stats?.isFile() && stats.mtimeMs < ms) old.add(name)
    }
    return old
  }

  /** @returns false where it was dropped again meanwhile, and stays */
  remove(name: string): boolean {
    if (this.#kept.has(name)) return false
    // At once, so that nobody finds it there in between and does without writing it.
    rmSync(join(this.#folder, name), { force: true })
    return true
  }
}

async function headOf(picture: Buffer) {
  const { default: sharp } = await import('sharp')
  return await sharp(picture).metadata()
}

function unreadable(cause: unknown): never {
  throw new AppError('picture_unreadable', `This is no picture that can be read: ${asError(cause).message}.`, { cause })
}
