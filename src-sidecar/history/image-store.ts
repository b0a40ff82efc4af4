import { basename } from 'node:path'
import type { Image, ImagePage } from '../contract/image.ts'
import type { Database } from '../store/database.ts'

interface Row {
  id: number
  job_id: number
  image_index: number
  stage: number
  intermediate: number
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
  stage: row.stage,
  intermediate: row.intermediate === 1,
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

  /** What earlier stages have made of it is intermediate from now on. @throws where the job has an image of that index and stage already. */
  add(image: NewImage): Image {
    if (image.stage > 0)
      this.#database
        .prepare('UPDATE images SET intermediate = 1 WHERE job_id = ? AND image_index = ? AND stage < ?')
        .run(image.jobId, image.imageIndex, image.stage)
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO images (job_id, image_index, stage, intermediate, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms)
         VALUES (@jobId, @imageIndex, @stage, @intermediate, @path, @width, @height, @sizeBytes, @seed, @checkpoint, @backend, @durationMs, @parameters, @createdAtMs)`,
      )
      .run({ ...image, intermediate: image.intermediate ? 1 : 0 })
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

  /** All stages of one image of a job that are kept, in their order. */
  stages(jobId: number, imageIndex: number): Image[] {
    return this.ofJob(jobId).filter((image) => image.imageIndex === imageIndex)
  }

  /** All that are kept, in the order in which they belong. */
  ofJob(jobId: number): Image[] {
    const rows = this.#database
      .prepare(
        'SELECT i.*, j.pack_name, j.recipe FROM images i JOIN jobs j ON j.id = i.job_id WHERE i.job_id = ? ORDER BY i.image_index, i.stage',
      )
      .all(jobId) as Row[]
    return rows.map(toImage)
  }

  /** What became of images whose job ended between two stages: the last stage that they have counts as the image. */
  settleStages(): Image[] {
    const rows = this.#database
      .prepare(
        `UPDATE images SET intermediate = 0 WHERE intermediate = 1
           AND job_id IN (SELECT id FROM jobs WHERE ended_at_ms IS NOT NULL AND images_done < images_wanted)
           AND NOT EXISTS (SELECT 1 FROM images later WHERE later.job_id = images.job_id
             AND later.image_index = images.image_index AND later.stage > images.stage) RETURNING id`,
      )
      .all() as { id: number }[]
    return rows.map(({ id }) => this.get(id)!)
  }

  /** A stage that is made anew: its file is gone. */
  forget(id: number): void {
    this.#database.prepare('DELETE FROM images WHERE id = ?').run(id)
  }

  /** Newest first, below `before` where it is given; without what a later stage went on with. */
  page(limit: number, before?: number): ImagePage {
    const rows = this.#database
      .prepare(
        'SELECT i.*, j.pack_name, j.recipe FROM images i JOIN jobs j ON j.id = i.job_id WHERE i.id < ? AND i.intermediate = 0 ORDER BY i.id DESC LIMIT ?',
      )
      .all(before ?? Number.MAX_SAFE_INTEGER, limit + 1) as Row[]
    const images = rows.slice(0, limit).map(toImage)
    const { total } = this.#database.prepare('SELECT count(*) AS total FROM images WHERE intermediate = 0').get() as {
      total: number
    }
    return { images, total, next: rows.length > limit ? (images.at(-1)?.id ?? null) : null }
  }
}
