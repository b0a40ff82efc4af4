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
  rating: number | null
  rated_at_ms: number | null
  /** JSON */
  tags: string
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
  rating: row.rating,
  ratedAtMs: row.rated_at_ms,
  tags: JSON.parse(row.tags),
})

export type NewImage = Omit<Image, 'id' | 'packName' | 'fileName' | 'recipe' | 'rating' | 'ratedAtMs' | 'tags'>

/** Each image with what its job and its tags say. */
const selectImages = `SELECT i.*, j.pack_name, j.recipe,
  (SELECT json_group_array(tag) FROM (SELECT tag FROM image_tags WHERE image_id = i.id ORDER BY tag)) AS tags
  FROM images i JOIN jobs j ON j.id = i.job_id`

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
    const row = this.#database.prepare(`${selectImages} WHERE i.id = ?`).get(id)
    return row === undefined ? undefined : toImage(row as Row)
  }

  /** @param rating 1 to 5; null takes it back. @returns whether there is such an image */
  rate(id: number, rating: number | null, nowMs: number): boolean {
    return (
      this.#database
        .prepare('UPDATE images SET rating = ?, rated_at_ms = ? WHERE id = ?')
        .run(rating, rating === null ? null : nowMs, id).changes === 1
    )
  }

  /** These in place of all that the image has. @returns whether there is such an image */
  setTags(id: number, tags: readonly string[]): boolean {
    return this.#database.transaction(() => {
      if (this.#database.prepare('SELECT 1 FROM images WHERE id = ?').get(id) === undefined) return false
      this.#database.prepare('DELETE FROM image_tags WHERE image_id = ?').run(id)
      const insert = this.#database.prepare('INSERT OR IGNORE INTO image_tags (image_id, tag) VALUES (?, ?)')
      for (const tag of tags) insert.run(id, tag)
      return true
    })()
  }

  /** Whether a row knows of the image at this path. */
  has(path: string): boolean {
    return this.#database.prepare('SELECT 1 FROM images WHERE path = ?').get(path) !== undefined
  }

  /** Newest first, below `before` where it is given. */
  page(limit: number, before?: number): ImagePage {
    const rows = this.#database
      .prepare(`${selectImages} WHERE i.id < ? ORDER BY i.id DESC LIMIT ?`)
      .all(before ?? Number.MAX_SAFE_INTEGER, limit + 1) as Row[]
    const images = rows.slice(0, limit).map(toImage)
    const { total } = this.#database.prepare('SELECT count(*) AS total FROM images').get() as { total: number }
    return { images, total, next: rows.length > limit ? (images.at(-1)?.id ?? null) : null }
  }

  /** Mean time that the latest images took, in milliseconds; null before the first. */
  recentDurationMs(): number | null {
    const { mean } = this.#database
      .prepare('SELECT avg(duration_ms) AS mean FROM (SELECT duration_ms FROM images ORDER BY id DESC LIMIT 20)')
      .get() as { mean: number | null }
    return mean
  }
}
