import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Image } from '../../../src-sidecar/contract/image.ts'
import {
  type FolderExport,
  type FolderExportRequest,
  folderExportRequestSchema,
} from '../../../src-sidecar/contract/image-export.ts'
import { FolderExporter, type FolderExporterOptions } from '../../../src-sidecar/history/folder-exporter.ts'
import { History } from '../../../src-sidecar/history/history.ts'
import { ImageArchive } from '../../../src-sidecar/history/image-archive.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { UnfinishedImages } from '../../../src-sidecar/history/unfinished-images.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { addImage } from '../../helpers/history-images.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { newDatabase, recipe, silent } from '../jobs/queue-fixture.ts'

let database: Database
let store: ImageStore
let folder: string
let target: string
let told: FolderExport[]
let exporter: FolderExporter

const newExporter = (more: Partial<FolderExporterOptions> = {}) => {
  const parts = { archive: new ImageArchive(folder), store, unfinished: new UnfinishedImages(database, folder) }
  return new FolderExporter({ history: new History(parts), logger: silent, onProgress: (state) => told.push(state), ...more })
}

beforeEach(async () => {
  const fresh = await newDatabase()
  database = fresh.database
  folder = join(fresh.folder, 'pictures')
  target = join(fresh.folder, 'to/here')
  store = new ImageStore(database)
  told = []
  exporter = newExporter()
})
afterEach(async () => {
  await exporter.stop()
  database.close()
})

/** An image of the history, whose file says its own name. */
function put(name: string, prompt = 'a cat'): Image {
  const image = addImage({ database, store, folder }, { name, bytes: Buffer.from(name), recipe: recipe({ prompt }) })
  utimesSync(image.path, 1_700_000_000, 1_700_000_000)
  return image
}

async function exported(request: Omit<FolderExportRequest, 'folder'>): Promise<FolderExport> {
  await exporter.export(folderExportRequestSchema.parse({ folder: target, ...request }), Date.now())
  await expect.poll(() => exporter.state?.state, { timeout: 20_000 }).not.toBe('running')
  return exporter.state!
}
const manifest = (of: FolderExport): (Image & { exportedAs: string | null })[] =>
  JSON.parse(readFileSync(join(of.folder, 'manifest.json'), 'utf8'))

test('an export has a file for each image under a name of its own, and manifests that tell which is which', async () => {
  const images = [put('a/1.png'), put('b/1.png'), put('c/1.PNG'), put('d/manifest.json')]
  chmodSync(images[0]!.path, 0o444)
  const gone = put('e/2.png')
  rmSync(gone.path)
  const ids = [...images.map(({ id }) => id), gone.id]
  const state = await exported({ ids })
  expect(state).toMatchObject({ state: 'done', copied: 4, of: 5, missing: 1, problem: null })
  expect(basename(state.folder)).toMatch(/^stablenew-[\dT-]+$/)
  expect(readdirSync(target)).toEqual([basename(state.folder)])
  const rows = manifest(state)
  expect(rows.map(({ id }) => id)).toEqual(ids)
  for (const { path, exportedAs } of rows.slice(0, 4)) {
    const file = join(state.folder, exportedAs!)
    expect(join(folder, readFileSync(file, 'utf8'))).toBe(path)
    expect(statSync(file).mtimeMs).toBe(1_700_000_000_000)
  }
  expect(rows[4]).toMatchObject({ path: gone.path, exportedAs: null })
  // Also on a disk that does not tell A from a.
  expect(new Set(readdirSync(state.folder).map((name) => name.toLowerCase())).size).toBe(6)
  const [head, first] = readFileSync(join(state.folder, 'manifest.csv'), 'utf8').split('\r\n')
  expect(head).toMatch(/,exported as$/)
  expect(first).toMatch(/,1\.png$/)
})

test('an export takes more images than a link could name, and all that a search finds', async () => {
  database.transaction(() => {
    for (let at = 0; at < 2500; at++) put(`${at}.png`, at % 50 === 0 ? 'a red fox' : 'a cat')
  })()
  const ids = Array.from({ length: 2500 }, (_, at) => at + 1)
  expect(await exported({ ids })).toMatchObject({ state: 'done', copied: 2500, of: 2500 })
  const found = await exported({ search: { text: 'fox', facets: {} } })
  expect(found).toMatchObject({ state: 'done', copied: 50 })
  expect(manifest(found).every((image) => image.recipe.prompt === 'a red fox')).toBe(true)
  expect(readdirSync(target)).toHaveLength(2)
  expect(told.at(-1)).toEqual(found)
})

test('an export that is stopped leaves nothing; beside it there is no other one', async () => {
  database.transaction(() => {
    for (let at = 0; at < 300; at++) put(`${at}.png`)
  })()
  const request = folderExportRequestSchema.parse({ folder: target })
  await exporter.export(request, Date.now())
  expect(readdirSync(target)).toEqual([expect.stringMatching(/\.unfinished$/)])
  await expect(exporter.export(request, Date.now())).rejects.toMatchObject({ code: 'conflict' })
  expect((await exporter.cancel())?.state).toBe('stopped')
  expect(readdirSync(target)).toEqual([])
})

test('an export into what is no folder, or onto a disk without the room, says so and leaves nothing', async () => {
  put('1.png')
  const file = join(tempDir('export'), 'file')
  writeFileSync(file, '')
  await expect(exporter.export(folderExportRequestSchema.parse({ folder: join(file, 'below') }), 0)).rejects.toMatchObject({
    code: 'disk',
    message: expect.stringContaining('Choose a folder that you may write to.'),
  })
  exporter = newExporter({ freeBytes: async () => 1_000_000 })
  const state = await exported({})
  expect(state).toMatchObject({ state: 'failed', copied: 0 })
  expect(state.problem).toContain(`needed in ${target}, and its disk has room for 1 MB`)
  expect(readdirSync(target)).toEqual([])
})

test('an export that fills the disk says so, and what was copied is removed', (context) => {
  const program = fileURLToPath(new URL('../../fixtures/programs/full-disk-export.ts', import.meta.url))
  const disk = join(tempDir('full-disk'), 'disk')
  mkdirSync(disk)
  mkdirSync(folder, { recursive: true })
  for (const name of ['1.png', '2.png', '3.png']) writeFileSync(join(folder, name), Buffer.alloc(40_000))
  const mounted = (then: string) =>
    spawnSync(
      'unshare',
      ['--user', '--map-root-user', '--mount', 'sh', '-c', `mount -t tmpfs -o size=100k tmpfs "$0" && ${then}`, disk, ...run],
      { encoding: 'utf8' },
    )
  const run = [process.execPath, '--disable-warning=ExperimentalWarning', program, folder, join(disk, 'to')]
  if (process.platform !== 'linux' || mounted('exit 0').status !== 0) return context.skip()
  const { stdout, stderr } = mounted('"$@"')
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'failed',
    copied: 2,
    left: [],
    problem: expect.stringMatching(/^The disk of .* is full\. 2 of 3 images were copied to .*, and have been removed again\.$/),
  })
  expect(existsSync(join(disk, 'to'))).toBe(false)
})
