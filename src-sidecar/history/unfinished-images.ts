import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GeneratedImage } from '../backends/backend.ts'
import type { Database } from '../store/database.ts'
import { ImageArchive, type Within } from './image-archive.ts'

/** What a stage has made for the next one, and is not kept. */
export interface UnfinishedImage {
  readonly jobId: number
  readonly imageIndex: number
  /** That has made it, from 0. */
  readonly stage: number
  /** In the work folder. */
  readonly path: string
  readonly backend: string
  readonly made: Omit<GeneratedImage, 'png'>
}

interface Row {
  job_id: number
  image_index: number
  stage: number
  path: string
  width: number
  height: number
  seed: number
  checkpoint: string
  backend: string
  duration_ms: number
  parameters: string
}

const toUnfinished = (row: Row): UnfinishedImage => ({
  jobId: row.job_id,
  imageIndex: row.image_index,
  stage: row.stage,
  path: row.path,
  backend: row.backend,
  made: {
    width: row.width,
    height: row.height,
    seed: row.seed,
    checkpoint: row.checkpoint,
    durationMs: row.duration_ms,
    parameters: row.parameters,
  },
})

/**
 * Images between two stages, one a job at most: a file of the work folder and a row that claims it. So a job that was interrupted
 * goes on at the stage where it was.
 */
export class UnfinishedImages {
  readonly #database: Database
  readonly #folder: string
  readonly #archive: ImageArchive

  constructor(database: Database, folder: string, within?: Within) {
    this.#database = database
    this.#folder = folder
    this.#archive = new ImageArchive(folder, within)
  }

  /**
   * Writes the file, then the row in place of the job's older one.
   * @param inTransaction runs what it is given in one transaction, or does not, where the job is no longer ours
   * @returns whether it did. @throws AppError `disk`
   */
  async put(
    { jobId, imageIndex, stage, backend, made }: Omit<UnfinishedImage, 'path'>,
    png: Uint8Array,
    inTransaction: (work: () => void) => boolean,
  ): Promise<boolean> {
    const before = this.of(jobId)
    let put = false
    await this.#archive.save(png, `${jobId}-${imageIndex}-${stage}.png`, ({ path }) => {
      put = inTransaction(() =>
        this.#database
          .prepare(
            `INSERT OR REPLACE INTO unfinished_images
               (job_id, image_index, stage, path, width, height, seed, checkpoint, backend, duration_ms, parameters)
             VALUES (@jobId, @imageIndex, @stage, @path, @width, @height, @seed, @checkpoint, @backend, @durationMs, @parameters)`,
          )
          .run({ jobId, imageIndex, stage, path, backend, ...withoutPicture(made) }),
      )
      return put
    })
    if (put && before !== undefined) await rm(before.path, { force: true })
    return put
  }

  of(jobId: number): UnfinishedImage | undefined {
    const row = this.#database.prepare('SELECT * FROM unfinished_images WHERE job_id = ?').get(jobId) as Row | undefined
    return row && toUnfinished(row)
  }

  /** Of jobs that are over. */
  ofEnded(): UnfinishedImage[] {
    const rows = this.#database
      .prepare('SELECT u.* FROM unfinished_images u JOIN jobs j ON j.id = u.job_id WHERE j.ended_at_ms IS NOT NULL')
      .all() as Row[]
    return rows.map(toUnfinished)
  }

  /** Takes the row away; the file is removed by `removeFile`, once that is final. @returns whether it was there */
  take({ jobId, stage, path }: UnfinishedImage): boolean {
    return (
      this.#database.prepare('DELETE FROM unfinished_images WHERE job_id = ? AND stage = ? AND path = ?').run(jobId, stage, path)
        .changes === 1
    )
  }

  async removeFile({ path }: UnfinishedImage): Promise<void> {
    await rm(path, { force: true })
  }

  /** At start-up: files that no row claims. @returns how many */
  async removeLeftovers(): Promise<number> {
    const rows = this.#database.prepare('SELECT path FROM unfinished_images').all() as { path: string }[]
    const claimed = new Set(rows.map(({ path }) => path))
    const names = await readdir(this.#folder).catch(() => [])
    const left = names.map((name) => join(this.#folder, name)).filter((path) => !claimed.has(path))
    for (const path of left) await rm(path, { force: true })
    return left.length
  }
}

const withoutPicture = ({ width, height, seed, checkpoint, durationMs, parameters }: Omit<GeneratedImage, 'png'>) => ({
  width,
  height,
  seed,
  checkpoint,
  durationMs,
  parameters,
})

/** The file of an image as PNG, or null where it can't be read. Never throws. */
export async function readAsPng(path: string): Promise<Buffer | null> {
  try {
    const bytes = await readFile(path)
    if (bytes.readUInt32BE(0) === 0x89504e47) return bytes
    const { default: sharp } = await import('sharp')
    return await sharp(bytes).png().toBuffer()
  } catch {
    return null
  }
}
