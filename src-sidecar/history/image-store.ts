import { basename } from 'node:path'
import type { Image, ImagePage } from '../contract/image.ts'
import type { Database } from '../store/database.ts'

interface Row {
  id: number
  job_id: number
  image_index: number
  path: string
  width: number
  height: number
  size_bytes: number
  seed: number
  checkpoint: string
  backend: string
  duration_ms: number
  parameters: string
  created_at_ms: number
  pack_name: string
  recipe: string
}

const toImage = (row: Row): Image => ({
  id: row.id,
  jobId: row.job_id,
  imageIndex: row.image_index,
  packName: row.pack_name,
  path: row.path,
  fileName: basename(row.path),
  width: row.width,
  height: row.height,
  sizeBytes: row.size_bytes,
  seed: row.seed,
  checkpoint: row.checkpoint,
  backend: row.backend,
  durationMs: row.duration_ms,
  parameters: row.parameters,
  recipe: JSON.parse(row.recipe),
  createdAtMs: row.created_at_ms,
})

export type NewImage = Omit<Image, 'id' | 'packName' | 'fileName' | 'recipe'>

/** Every statement on the image table. */
export class ImageStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws where the job has an image of that index already. */
  add(image: NewImage): Image {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO images (job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms)
         VALUES (@jobId, @imageIndex, @path, @width, @height, @sizeBytes, @seed, @checkpoint, @backend, @durationMs, @parameters, @createdAtMs)`,
      )
      .run(image)
    return this.get(Number(lastInsertRowid))!
  }

  get(id: number): Image | undefined {
    const row = this.#database
      .prepare('SELECT i.*, j.pack_name, j.recipe FROM images i JOIN jobs j ON j.id = i.job_id WHERE i.id = ?')
      .get(id)
    return row === undefined ? undefined : toImage(row as Row)
  }

  /** Whether a row knows of the image at this path. */
  has(path: string): boolean {
    return this.#database.prepare('SELECT 1 FROM images WHERE path = ?').get(path) !== undefined
  }

  /** Newest first, below `before` where it is given. */
  page(limit: number, before?: number): ImagePage {
    const rows = this.#database
      .prepare(
        'SELECT i.*, j.pack_name, j.recipe FROM images i JOIN jobs j ON j.id = i.job_id WHERE i.id < ? ORDER BY i.id DESC LIMIT ?',
      )
      .all(before ?? Number.MAX_SAFE_INTEGER, limit + 1) as Row[]
    const images = rows.slice(0, limit).map(toImage)
    const { total } = this.#database.prepare('SELECT count(*) AS total FROM images').get() as { total: number }
    return { images, total, next: rows.length > limit ? (images.at(-1)?.id ?? null) : null }
  }
}
