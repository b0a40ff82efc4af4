import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Image } from '../../src-sidecar/contract/image.ts'
import type { Recipe } from '../../src-sidecar/contract/recipe.ts'
import type { ImageStore } from '../../src-sidecar/history/image-store.ts'
import { ImportStore } from '../../src-sidecar/history/import/import-store.ts'
import type { Database } from '../../src-sidecar/store/database.ts'

/**
 * An image of the history, as an import of `folder` leaves it.
 * @param name of its file below the folder
 * @param bytes of the file; null: it has none
 */
export function addImage(
  { database, store, folder }: { database: Database; store: ImageStore; folder: string },
  { name, bytes, recipe }: { name: string; bytes: Buffer | null; recipe: Recipe },
): Image {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  if (bytes !== null) writeFileSync(path, bytes)
  const jobId = new ImportStore(database).jobOf(folder, 'pictures', 0)
  const imageIndex = database.prepare('SELECT count(*) FROM images').pluck().get() as number
  const used = { width: 8, height: 8, seed: 1, checkpoint: '', backend: 'A1', durationMs: 0, parameters: '', createdAtMs: 1 }
  const own = { packName: 'pictures', recipe }
  return store.add({ jobId, imageIndex, stage: 0, intermediate: false, path, sizeBytes: bytes?.length ?? 0, ...used, own })
}
