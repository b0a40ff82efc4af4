import { basename } from 'node:path'
import type { Image } from '../contract/image.ts'
import type { Database } from '../store/database.ts'
import { FacetCounts } from './search/facet-counts.ts'
import { ImageFinder } from './search/image-finder.ts'
import { ImageIndex } from './search/image-index.ts'

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
  rating: number | null
  rated_at_ms: number | null
  /** JSON */
  tags: string
  missing_at_ms: number | null
  pack_name: string
  prompt_index: number | null
  recipe: string
}

const toImage = (row: Row): Image => ({
  id: row.id,
  jobId: row.job_id,
  imageIndex: row.image_index,
  stage: row.stage,
  intermediate: row.intermediate === 1,
  packName: row.pack_name,
  promptIndex: row.prompt_index,
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
  missing: row.missing_at_ms !== null,
})

export type NewImage = Omit<
  Image,
  'id' | 'packName' | 'promptIndex' | 'fileName' | 'recipe' | 'rating' | 'ratedAtMs' | 'tags' | 'missing'
> & {
  /** Where they are not those of its job. */
  readonly own?: Pick<Image, 'packName' | 'recipe'>
}

/** Each image with what its job and its tags say. */
const selectImages = `SELECT i.*, coalesce(i.pack_name, j.pack_name) AS pack_name, coalesce(i.recipe, j.recipe) AS recipe,
  CASE WHEN j.pack_id GLOB 'user/*' OR j.pack_id GLOB 'example/*' THEN j.prompt_index END AS prompt_index,
  (SELECT json_group_array(tag) FROM (SELECT tag FROM image_tags WHERE image_id = i.id ORDER BY tag)) AS tags
  FROM images i JOIN jobs j ON j.id = i.job_id`

/** Every statement on the image table. The search is kept in the same transactions. */
export class ImageStore {
  readonly #database: Database
  readonly #insert
  readonly #select
  readonly #index: ImageIndex
  readonly finder: ImageFinder
  readonly facets: FacetCounts

  constructor(database: Database) {
    this.#database = database
    this.#insert = database.prepare(
      `INSERT INTO images (job_id, image_index, stage, intermediate, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters,
         created_at_ms, recipe, pack_name, is_indexed)
       VALUES (@jobId, @imageIndex, @stage, @intermediate, @path, @width, @height, @sizeBytes, @seed, @checkpoint, @backend, @durationMs, @parameters,
         @createdAtMs, @recipe, @packName, 1)`,
    )
    this.#select = database.prepare<[number], Row>(`${selectImages} WHERE i.id = ?`)
    this.#index = new ImageIndex(database)
    this.finder = new ImageFinder(database, () => this.#index.version)
    this.facets = new FacetCounts(database, this.finder)
  }

  /** What earlier stages have made of it is intermediate from now on. @throws where the job has an image of that index and stage already. */
  add({ own, ...image }: NewImage): Image {
    return this.#database.transaction(() => {
      if (image.stage > 0) this.#leaveBehind(image)
      const row = { ...image, intermediate: image.intermediate ? 1 : 0 }
      const { lastInsertRowid } = this.#insert.run({
        ...row,
        recipe: own ? JSON.stringify(own.recipe) : null,
        packName: own?.packName ?? null,
      })
      return this.#indexed(Number(lastInsertRowid))
    })()
  }

  get(id: number): Image | undefined {
    const row = this.#select.get(id)
    return row && toImage(row)
  }

  /** In this order; one that is gone is left out. */
  all(ids: readonly number[]): Image[] {
    const rows = this.#database
      .prepare(`${selectImages} WHERE i.id IN (SELECT value FROM json_each(?))`)
      .all(JSON.stringify(ids)) as Row[]
    const byId = new Map(rows.map((row) => [row.id, row]))
    return ids.flatMap((id) => byId.get(id) ?? []).map(toImage)
  }

  /** @param rating 1 to 5; null takes it back. @returns the image as it is now */
  rate(id: number, rating: number | null, nowMs: number): Image | undefined {
    const set = 'UPDATE images SET rating = ?, rated_at_ms = ? WHERE id = ?'
    return this.#change(id, () => this.#database.prepare(set).run(rating, rating === null ? null : nowMs, id))
  }

  /** These in place of all that it has. @returns the image as it is now */
  setTags(id: number, tags: readonly string[]): Image | undefined {
    return this.#change(id, () => {
      this.#database.prepare('DELETE FROM image_tags WHERE image_id = ?').run(id)
      const insert = this.#database.prepare('INSERT OR IGNORE INTO image_tags (image_id, tag) VALUES (?, ?)')
      for (const tag of tags) insert.run(id, tag)
    })
  }

  /**
   * Puts images into the search that came without it: of an older version, or of a database that was restored.
   * @returns whether there are more
   */
  indexMissing(limit: number): boolean {
    return this.#index.putMissing(limit, (id) => this.get(id)!) === limit
  }

  /** Path and id of all images whose file has this size. */
  ofSize(bytes: number): { id: number; path: string }[] {
    return this.#database
      .prepare<[number], { id: number; path: string }>('SELECT id, path FROM images WHERE size_bytes = ?')
      .all(bytes)
  }

  /** Its file is at another place now. */
  moved(id: number, path: string): Image | undefined {
    const set = 'UPDATE images SET path = ?, missing_at_ms = NULL WHERE id = ?'
    return this.#change(id, () => this.#database.prepare(set).run(path, id))
  }

  /** Its file was found to be gone, or is there again. */
  setMissing(id: number, missingAtMs: number | null): Image | undefined {
    return this.#change(id, () => this.#database.prepare('UPDATE images SET missing_at_ms = ? WHERE id = ?').run(missingAtMs, id))
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
    const rows = this.#database.prepare(`${selectImages} WHERE i.job_id = ? ORDER BY i.image_index, i.stage`).all(jobId) as Row[]
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
    return rows.map(({ id }) => this.#indexed(id))
  }

  /** A stage that is made anew: its file is gone. */
  forget(id: number): void {
    this.#index.remove(id)
    this.#database.prepare('DELETE FROM images WHERE id = ?').run(id)
  }

  #leaveBehind({ jobId, imageIndex, stage }: Pick<Image, 'jobId' | 'imageIndex' | 'stage'>): void {
    const earlier = this.#database
      .prepare<[number, number, number], { id: number }>(
        'UPDATE images SET intermediate = 1 WHERE job_id = ? AND image_index = ? AND stage < ? RETURNING id',
      )
      .all(jobId, imageIndex, stage)
    for (const { id } of earlier) this.#index.remove(id)
  }

  #change(id: number, work: () => void): Image | undefined {
    return this.#database.transaction(() => {
      if (this.get(id) === undefined) return undefined
      work()
      return this.#indexed(id)
    })()
  }

  #indexed(id: number): Image {
    const image = this.get(id)!
    this.#index.put(image)
    return image
  }
}
