import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Recipe } from '../../../src-sidecar/contract/recipe.ts'
import { DroppedPictures } from '../../../src-sidecar/history/dropped-pictures.ts'
import { picturesOfRecipes } from '../../../src-sidecar/history/picture-references.ts'
import { UnusedPictures } from '../../../src-sidecar/history/unused-pictures.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { newDatabase, newJob, recipe, silent, smallPng } from '../jobs/queue-fixture.ts'

let database: Database
let folder: string
let pictures: DroppedPictures

beforeEach(async () => {
  ;({ database } = await newDatabase())
  folder = tempDir('pictures')
  pictures = new DroppedPictures(folder)
})
afterEach(() => void database.close())

const ages = (name: string) => utimesSync(join(folder, name), 1, 1)
function put(...names: string[]): void {
  for (const name of names) {
    writeFileSync(join(folder, name), '')
    ages(name)
  }
}
const begun = (name: string): Partial<Recipe> => ({
  source: { as: 'img2img', path: `/before it was moved/pictures/${name}`, denoisingStrength: 0.5 },
})
const clean = (used = () => picturesOfRecipes(database)) => new UnusedPictures({ pictures, used, logger: silent })
const left = () => readdirSync(folder).toSorted()

test('what a job, an image or an experiment begins with stays, whatever became of it; the rest goes', async () => {
  const jobs = new JobStore(database)
  const names = ['pending', 'cancelled', 'image', 'planned', 'unused', 'other'].map((name) => `${name}.png`)
  put(...names)
  const [, cancelled, third] = jobs.add([newJob(begun('pending.png')), newJob(begun('cancelled.png')), newJob()], 0)
  jobs.cancelPending(cancelled!, 0)
  database
    .prepare(
      `INSERT INTO images (job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters,
         created_at_ms, recipe) VALUES (?, 0, '/1.png', 8, 8, 1, 1, '', '', 0, '', 0, ?)`,
    )
    .run(third, JSON.stringify(recipe(begun('image.png'))))
  database.exec(`INSERT INTO experiments (uid, name, design, created_at_ms) VALUES ('1', 'e', '{}', 0)`)
  database
    .prepare(
      'INSERT INTO experiment_jobs (job_id, experiment_id, prompt_row, value_index, planned_recipe) VALUES (?, 1, 0, 0, ?)',
    )
    .run(third, JSON.stringify(recipe(begun('planned.png'))))
  const cleaning = clean()
  await cleaning.start()
  await waitFor(() => left().length <= 4, 'the unused ones to go')
  await cleaning.stop()
  expect(left()).toEqual(['cancelled.png', 'image.png', 'pending.png', 'planned.png'])
})

test('what is younger than a day, and what is dropped again meanwhile, stays', async () => {
  let dropped = ''
  const png = await smallPng()
  await pictures.keep(png, (path) => (dropped = path.slice(folder.length + 1)))
  ages(dropped)
  put('old.png')
  writeFileSync(join(folder, 'young.png'), '')
  // Another run, to which the picture is nobody's; it is dropped while recipes are being looked at.
  pictures = new DroppedPictures(folder)
  const cleaning = clean(async function* () {
    yield []
    await pictures.keep(png, () => {})
  })
  await cleaning.start()
  await waitFor(() => !left().includes('old.png'), 'the old one to go')
  await cleaning.stop()
  expect(left()).toEqual([dropped, 'young.png'].toSorted())
})

test('where the app closes before all recipes were looked at, nothing goes', async () => {
  put('old.png')
  const more = Promise.withResolvers<void>()
  const looking = Promise.withResolvers<void>()
  const cleaning = clean(async function* () {
    looking.resolve()
    await more.promise
    yield []
  })
  await cleaning.start()
  await looking.promise
  const stopped = cleaning.stop()
  more.resolve()
  await stopped
  expect(left()).toEqual(['old.png'])
})
