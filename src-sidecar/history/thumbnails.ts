import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Image } from '../contract/image.ts'
import { AppError, asError } from '../errors/app-error.ts'

const sidePx = 384

/** WebP thumbnails, made when they are first asked for and kept in the cache folder. */
export class Thumbnails {
  readonly #folder: string
  readonly #inWork = new Map<number, Promise<string>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @returns the path of the file. @throws AppError `image_not_found` where the image is gone or no picture. */
  async pathOf(image: Image): Promise<string> {
    const known = this.#inWork.get(image.id)
    if (known) return await known
    const work = this.#make(image).finally(() => this.#inWork.delete(image.id))
    this.#inWork.set(image.id, work)
    return await work
  }

  /** Those of images that are in the history no more. */
  async forget(images: readonly Pick<Image, 'id' | 'createdAtMs'>[]): Promise<void> {
    for (const image of images) await rm(this.#pathOf(image), { force: true })
  }

  #pathOf({ id, createdAtMs }: Pick<Image, 'id' | 'createdAtMs'>): string {
    return join(this.#folder, `${id}-${createdAtMs}.webp`)
  }

  async #make(image: Image): Promise<string> {
    const path = this.#pathOf(image)
    if (existsSync(path)) return path
    const temporary = `${path}.${process.pid}.part`
    try {
      // Loaded when first needed: it costs 30 MB of memory.
      const { default: sharp } = await import('sharp')
      // By its bytes: of a WebP that it opens itself it keeps the file open.
      await sharp(await readFile(image.path))
        .resize(sidePx, sidePx, { fit: 'inside', withoutEnlargement: true })
        .webp({ quality: 82 })
        .toFile(temporary)
      await rename(temporary, path)
      return path
    } catch (error) {
      await rm(temporary, { force: true })
      throw new AppError('image_not_found', `No thumbnail of ${image.path}: ${asError(error).message}`, { cause: error })
    }
  }
}
