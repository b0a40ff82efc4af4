import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { IndexCatchUp } from '../../../src-sidecar/history/search/index-catch-up.ts'
import { openDatabase } from '../../../src-sidecar/store/database.ts'
import { migrations } from '../../../src-sidecar/store/migrations/index.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { recipe, silent } from '../jobs/queue-fixture.ts'

const released = [...migrations]
const before = 6
afterEach(() => void (migrations as string[]).splice(0, Number.POSITIVE_INFINITY, ...released))

test('images of before the search knew rows of packs are found by them after the next start, those of imports as ever', async () => {
  const folder = tempDir('rows')
  mkdirSync(join(folder, 'backups'))
  const open = () => openDatabase(join(folder, 'stablenew.db'), join(folder, 'backups'))
  ;(migrations as string[]).splice(before)
  const old = await open()
  const job = old.prepare(
    `INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, recipe, images_wanted, created_at_ms)
     VALUES (?, 'cats', 2, 'completed', 0, ?, 1, 0)`,
  )
  const image = old.prepare(
    `INSERT INTO images (job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters,
       created_at_ms, is_indexed) VALUES (?, 0, ?, 8, 8, 1, 1, '', 'GPU', 1, '', ?, 1)`,
  )
  const [own, imported] = ['user/cats.txt', 'import//pictures'].map((packId, at) => {
    const { lastInsertRowid } = job.run(packId, JSON.stringify(recipe()))
    return Number(image.run(lastInsertRowid, `/images/${at}.png`, 1000 + at).lastInsertRowid)
  })
  old.close()

  ;(migrations as string[]).push(...released.slice(before))
  const database = await open()
  const unindexed = () => database.prepare('SELECT id FROM images WHERE is_indexed = 0').pluck().all()
  expect(unindexed()).toEqual([own])
  const store = new ImageStore(database)
  const catchUp = new IndexCatchUp(store, silent)
  await catchUp.start()
  await waitFor(() => unindexed().length === 0, 'the index')
  await catchUp.stop()
  expect(store.finder.page({ text: '', facets: { row: ['cats #3'] } }, 'newest', 9).imageIds).toEqual([own])
  expect(store.get(imported!)?.promptIndex).toBeNull()
  database.close()
})
