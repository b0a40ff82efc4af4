import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ImportState } from '../../../src-sidecar/contract/image-import.ts'
import { imagesAsCsv, imagesAsJson, imagesAsZip } from '../../../src-sidecar/history/export-images.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { ImageImporter } from '../../../src-sidecar/history/import/image-importer.ts'
import { ImportStore } from '../../../src-sidecar/history/import/import-store.ts'
import { withPngText } from '../../../src-sidecar/history/png-text.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { promptGraph } from '../../helpers/picture-files.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { newDatabase, silent, smallPng } from '../jobs/queue-fixture.ts'

let database: Database
let store: ImageStore
let folder: string
let told: ImportState[]
let importer: ImageImporter

const newImporter = () =>
  new ImageImporter({
    images: store,
    imports: new ImportStore(database),
    logger: silent,
    onProgress: (state) => told.push(state),
  })

beforeEach(async () => {
  const fresh = await newDatabase()
  database = fresh.database
  folder = join(fresh.folder, 'outputs')
  mkdirSync(folder)
  store = new ImageStore(database)
  told = []
  importer = newImporter()
})
afterEach(async () => {
  await importer.stop()
  database.close()
})

const infotext = (prompt: string, seed: number) =>
  `${prompt}\nNegative prompt: blurry\nSteps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6, Seed: ${seed}, Size: 512x768, Model: dream`

async function put(name: string, text: string | null, keyword = 'parameters', atMs = 1_700_000_000_000): Promise<string> {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  const png = await smallPng()
  writeFileSync(path, text === null ? png : withPngText(png, keyword, text))
  utimesSync(path, atMs / 1000, atMs / 1000)
  return path
}

const all = () => store.all(store.finder.page({ text: '', facets: {} }, 'newest', 200).imageIds)
async function imported(): Promise<ImportState> {
  await importer.import(folder)
  return await waitFor(() => importer.state?.state !== 'running' && importer.state, 'the import to end')
}

describe('an import', () => {
  test('takes in what A1, ComfyUI and StableNew wrote, where it lies, when it was made', async () => {
    const path = await put('txt2img/2024-01-05/00001.png', infotext('a red fox', 7))
    await put('comfy.png', JSON.stringify(promptGraph('a blue whale', 5)), 'prompt', 1_700_000_001_000)
    await put('plain.png', null, '', 1_600_000_000_000)
    await sharp({ create: { width: 20, height: 10, channels: 3, background: '#123' } })
      .jpeg()
      .toFile(join(folder, 'photo.JPG'))
    writeFileSync(join(folder, 'notes.txt'), 'no picture')
    writeFileSync(join(folder, 'broken.png'), 'no picture')
    expect(await imported()).toMatchObject({ state: 'done', found: 5, seen: 5, added: 4, unreadable: 1, known: 0, problem: null })
    const [jpeg, comfy, fox, plain] = all()
    expect(fox).toMatchObject({
      path,
      packName: 'txt2img',
      seed: 7,
      checkpoint: 'dream',
      backend: 'AUTOMATIC1111',
      width: 8,
      createdAtMs: 1_700_000_000_000,
      recipe: {
        prompt: 'a red fox',
        negativePrompt: 'blurry',
        steps: 25,
        samplerName: 'DPM++ 2M',
        scheduler: 'Karras',
        cfgScale: 6,
      },
    })
    expect(comfy).toMatchObject({ backend: 'ComfyUI', recipe: { prompt: 'a blue whale' }, packName: 'outputs' })
    expect(plain).toMatchObject({ backend: 'unknown', parameters: '', recipe: { prompt: '', samplerName: 'unknown' } })
    expect(jpeg).toMatchObject({ width: 20, height: 10 })
    expect(store.finder.page({ text: 'fox', facets: { sampler: ['DPM++ 2M'] } }, 'newest', 9).imageIds).toEqual([fox?.id])
    expect(
      database.prepare(`SELECT count(*) FROM jobs WHERE state <> 'completed' OR ended_at_ms IS NOT NULL`).pluck().get(),
    ).toBe(0)
  })

  test('of the same folder again takes in only what is new', async () => {
    await put('1.png', infotext('a', 1))
    await imported()
    await put('2.png', infotext('b', 2))
    expect(await imported()).toMatchObject({ known: 1, added: 1 })
    expect(all()).toHaveLength(2)
  })

  test('knows images whose folder was moved, with their rating', async () => {
    await put('old/1.png', infotext('a', 1))
    await put('old/2.png', infotext('b', 2))
    await imported()
    const [first] = all()
    store.rate(first!.id, 5, 0)
    renameSync(join(folder, 'old'), join(folder, 'new'))
    expect(await imported()).toMatchObject({ relinked: 2, added: 0 })
    const images = all()
    expect(images).toHaveLength(2)
    expect(images.every(({ path }) => existsSync(path))).toBe(true)
    expect(store.get(first!.id)).toMatchObject({ rating: 5, missing: false })
  })

  test('takes a copy of an image that is still there as another image', async () => {
    const path = await put('a/1.png', infotext('a', 1))
    await imported()
    mkdirSync(join(folder, 'b'))
    copyFileSync(path, join(folder, 'b/1.png'))
    expect(await imported()).toMatchObject({ added: 1, relinked: 0 })
  })

  test('that the end of the app cuts short goes on at the next start, with nothing twice', async () => {
    for (let at = 0; at < 300; at++) await put(`${at}.png`, infotext(`number ${at}`, at))
    await importer.import(folder)
    await waitFor(() => (importer.state?.added ?? 0) > 0, 'some images', { everyMs: 1 })
    await importer.stop()
    const before = all().length
    expect(importer.state?.state).toBe('stopped')
    importer = newImporter()
    await importer.start()
    await waitFor(() => importer.state?.state === 'done', 'the rest')
    expect(importer.state).toMatchObject({ known: Math.min(before, 300), added: 300 - before })
    expect(store.finder.total({ text: '', facets: {} }).total).toBe(300)
    importer = newImporter()
    await importer.start()
    expect(importer.state).toBeNull()
  })

  test.runIf(process.platform !== 'win32' && process.getuid?.() !== 0)('goes on where a folder may not be read', async () => {
    await put('a/1.png', infotext('a', 1))
    await put('locked/2.png', infotext('b', 2))
    await put('z/3.png', infotext('c', 3))
    chmodSync(join(folder, 'locked'), 0)
    expect(await imported()).toMatchObject({ state: 'done', added: 2, unreadable: 1, problem: null })
    chmodSync(join(folder, 'locked'), 0o700)
    expect(await imported()).toMatchObject({ added: 1, known: 2, unreadable: 0 })
  })

  test('of what is no folder, or beside another one, is refused', async () => {
    await expect(importer.import(join(folder, 'none'))).rejects.toMatchObject({ code: 'bad_request' })
    for (let at = 0; at < 50; at++) await put(`${at}.png`, null)
    await importer.import(folder)
    await expect(importer.import(folder)).rejects.toMatchObject({ code: 'conflict' })
    expect((await importer.cancel())?.state).toBe('stopped')
  })
})

describe('an export', () => {
  test('as CSV quotes what needs it and starts no formula', async () => {
    await put('1.png', infotext('=a "fox", red', 1))
    await imported()
    const [head, row, end] = [...imagesAsCsv([all()])].join('').split('\r\n')
    expect(head).toMatch(/^\ufeffid,file,path,/)
    expect(row).toContain(`"'=a ""fox"", red"`)
    expect(end).toBe('')
  })

  test('as JSON is one array, also of nothing', async () => {
    await put('1.png', infotext('a', 1))
    await put('2.png', infotext('b', 2))
    await imported()
    const images = all()
    expect(JSON.parse([...imagesAsJson([images.slice(0, 1), images.slice(1)])].join(''))).toEqual(images)
    expect(JSON.parse([...imagesAsJson([[]])].join(''))).toEqual([])
  })

  test('as ZIP has each file under a name of its own and says of one that is gone what it was', async () => {
    await put('a/1.png', infotext('a', 1))
    await put('b/1.png', infotext('b', 2))
    const gone = await put('c/3.png', infotext('c', 3))
    await imported()
    rmSync(gone)
    const bytes = Buffer.from(await new Response(imagesAsZip(() => [all()])).arrayBuffer())
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the mark of an entry in a ZIP's directory
    const names = [...bytes.toString('latin1').matchAll(/PK\x01\x02.{42}([\w.-]+?\.(?:png|json|csv))/gs)].map(([, name]) => name)
    expect(names.toSorted()).toEqual([expect.stringMatching(/^1-\d+\.png$/), '1.png', 'manifest.csv', 'manifest.json'])
    expect(bytes.toString('latin1')).toContain('3.png')
    expect(readdirSync(folder).toSorted()).toEqual(['a', 'b', 'c'])
  })
})
