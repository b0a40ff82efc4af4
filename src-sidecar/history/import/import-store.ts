import { basename } from 'node:path'
import type { Database } from '../../store/database.ts'
import type { ImageStore } from '../image-store.ts'
import type { ReadPicture } from './read-picture.ts'

/** What imports write: the job that the images of a folder share, and which imports are not finished. */
export class ImportStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Folders whose import was cut short, the oldest first. */
  unfinished(): string[] {
    return this.#database.prepare<[], string>('SELECT folder FROM imports ORDER BY started_at_ms').pluck().all()
  }

  begin(folder: string, nowMs: number): void {
    this.#database.prepare('INSERT OR IGNORE INTO imports (folder, started_at_ms) VALUES (?, ?)').run(folder, nowMs)
  }

  end(folder: string): void {
    this.#database.prepare('DELETE FROM imports WHERE folder = ?').run(folder)
  }

  /** The job of a folder's images. It was never queued and is over from the beginning; without `ended_at_ms` no list shows it. */
  jobOf(folder: string, name: string, nowMs: number): number {
    const packId = `import/${folder}`
    const find = this.#database.prepare<[string], number>('SELECT id FROM jobs WHERE pack_id = ? LIMIT 1').pluck()
    const known = find.get(packId)
    if (known !== undefined) return known
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, recipe, images_wanted, created_at_ms)
         VALUES (?, ?, 0, 'completed', 0, '{}', 0, ?)`,
      )
      .run(packId, name, nowMs)
    return Number(lastInsertRowid)
  }

  /**
   * Writes pictures down, all or none. One that has the name and size of an image whose file is gone is that image, moved.
   * @param exists whether there is a file at this path
   */
  take(
    pictures: readonly ReadPicture[],
    jobId: number,
    images: ImageStore,
    exists: (path: string) => boolean,
  ): { added: number; relinked: number } {
    return this.#database.transaction(() => {
      const last = this.#database
        .prepare<[number], number>('SELECT coalesce(max(image_index), -1) FROM images WHERE job_id = ?')
        .pluck()
        .get(jobId)!
      let [added, relinked] = [0, 0]
      for (const picture of pictures) {
        const moved = images
          .ofSize(picture.sizeBytes)
          .find(({ path }) => basename(path) === basename(picture.path) && !exists(path))
        if (moved !== undefined) {
          images.moved(moved.id, picture.path)
          relinked++
          continue
        }
        const { packName, recipe, ...about } = picture
        added++
        images.add({ jobId, imageIndex: last + added, stage: 0, intermediate: false, ...about, own: { packName, recipe } })
      }
      return { added, relinked }
    })()
  }
}
