import type { Image } from '../../contract/image.ts'
import type { Database } from '../../store/database.ts'
import type { ImageStore } from '../image-store.ts'

/** An image's file, as its row has it. */
export type ImageFile = Pick<Image, 'id' | 'path' | 'sizeBytes' | 'createdAtMs' | 'missing'>

interface Row {
  id: number
  path: string
  size_bytes: number
  created_at_ms: number
  missing_at_ms: number | null
}

const columns = 'id, path, size_bytes, created_at_ms, missing_at_ms'
const toFile = (row: Row): ImageFile => ({
  id: row.id,
  path: row.path,
  sizeBytes: row.size_bytes,
  createdAtMs: row.created_at_ms,
  missing: row.missing_at_ms !== null,
})

/** What the history says of files, many at a time. Files of images that a later stage went on with are left out. */
export class ImageFiles {
  readonly #database: Database
  readonly #images: ImageStore
  readonly #statements

  constructor(database: Database, images: ImageStore) {
    this.#database = database
    this.#images = images
    this.#statements = {
      after: database.prepare<[number, number], Row>(
        `SELECT ${columns} FROM images WHERE id > ? AND intermediate = 0 ORDER BY id LIMIT ?`,
      ),
      missingAfter: database.prepare<[number, number], Row>(
        `SELECT ${columns} FROM images WHERE id > ? AND missing_at_ms IS NOT NULL AND intermediate = 0 ORDER BY id LIMIT ?`,
      ),
      of: database.prepare<[string], Row>(`SELECT ${columns} FROM images WHERE id IN (SELECT value FROM json_each(?))`),
      lookedAt: database.prepare<[], number>(`SELECT value FROM flags WHERE name = 'files_looked_at_ms'`).pluck(),
      setLookedAt: database.prepare(`INSERT OR REPLACE INTO flags (name, value) VALUES ('files_looked_at_ms', ?)`),
    }
  }

  /** How many images there are. */
  get count(): number {
    return this.#images.finder.total({ text: '', facets: {} }).total
  }

  /** When all of them were looked at last; 0: never. */
  get lookedAtMs(): number {
    return this.#statements.lookedAt.get() ?? 0
  }

  set lookedAtMs(ms: number) {
    this.#statements.setLookedAt.run(ms)
  }

  /** Those with greater ids than this, in their order. */
  after(id: number, limit: number): ImageFile[] {
    return this.#statements.after.all(id, limit).map(toFile)
  }

  /** The same of those that are missing. */
  missingAfter(id: number, limit: number): ImageFile[] {
    return this.#statements.missingAfter.all(id, limit).map(toFile)
  }

  of(ids: readonly number[]): ImageFile[] {
    return this.#statements.of.all(JSON.stringify(ids)).map(toFile)
  }

  /**
   * They were found to be gone, or to be there again (null).
   * @returns the ids of those that are others now; one that was moved meanwhile stays as it is
   */
  note(files: readonly Pick<ImageFile, 'id' | 'path'>[], missingAtMs: number | null): number[] {
    return this.#all(files, ({ id, path }) => this.#images.get(id)?.path === path && this.#images.setMissing(id, missingAtMs))
  }

  /** They are at these places now. @returns the ids of those that are; one whose new file another image has already is not */
  moved(files: readonly Pick<ImageFile, 'id' | 'path'>[]): number[] {
    return this.#all(files, ({ id, path }) => !this.#images.has(path) && this.#images.moved(id, path))
  }

  /** Takes their rows out of the history. */
  remove(files: readonly Pick<ImageFile, 'id'>[]): number[] {
    return this.#all(files, ({ id }) => {
      this.#images.forget(id)
      return true
    })
  }

  #all<T extends { readonly id: number }>(files: readonly T[], work: (file: T) => unknown): number[] {
    return this.#database.transaction(() => files.filter(work).map(({ id }) => id))()
  }
}
