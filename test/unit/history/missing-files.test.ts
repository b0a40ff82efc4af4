import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppEvent } from '../../../src-sidecar/contract/events.ts'
import type { MissingWork } from '../../../src-sidecar/contract/missing-files.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { ImageFiles } from '../../../src-sidecar/history/missing/image-files.ts'
import { MissingFiles } from '../../../src-sidecar/history/missing/missing-files.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { generateHistory } from '../../helpers/generated-history.ts'
import { addImage } from '../../helpers/history-images.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { newDatabase, recipe, silent } from '../jobs/queue-fixture.ts'

let database: Database
let store: ImageStore
let files: ImageFiles
let folder: string
let told: AppEvent[]
let forgotten: number[]
let missing: MissingFiles

const newMissing = () =>
  new MissingFiles({
    files,
    logger: silent,
    publish: (event) => told.push(event),
    forgetThumbnails: async (images) => void forgotten.push(...images.map(({ id }) => id)),
  })

beforeEach(async () => {
  const fresh = await newDatabase()
  database = fresh.database
  folder = join(fresh.folder, 'outputs')
  mkdirSync(folder)
  store = new ImageStore(database)
  files = new ImageFiles(database, store)
  told = []
  forgotten = []
  missing = newMissing()
})
afterEach(async () => {
  await missing.stop()
  database.close()
})

/** An image of the history with a file of so many bytes. @returns its id */
const put = (name: string, sizeBytes = 10, onDisk = true): number =>
  addImage({ database, store, folder }, { name, bytes: onDisk ? Buffer.alloc(sizeBytes) : null, recipe: recipe() }).id

async function done(begun: MissingWork | Promise<MissingWork>): Promise<MissingWork> {
  await begun
  return await waitFor(() => told.findLast((event) => event.type === 'missing' && event.work.state !== 'running'), 'the end', {
    ms: 30_000,
  }).then((event) => (event as Extract<AppEvent, { type: 'missing' }>).work)
}
async function looked(): Promise<MissingWork> {
  told = []
  return await done(missing.look())
}
const marked = () => store.finder.page({ text: '', facets: { file: ['missing'] } }, 'newest', 100).imageIds.toSorted()

describe('a look', () => {
  test('marks images whose file has gone and takes the mark from those that are back; it removes nothing', async () => {
    const [here, gone] = [put('1.png'), put('2.png')]
    renameSync(join(folder, '2.png'), join(folder, '2.away'))
    expect(await looked()).toMatchObject({ what: 'look', state: 'done', seen: 2, of: 2, gone: 1, back: 0, removed: 0 })
    expect(marked()).toEqual([gone])
    expect(told).toContainEqual({ type: 'files', missing: true, ids: [gone] })
    renameSync(join(folder, '2.away'), join(folder, '2.png'))
    expect(await looked()).toMatchObject({ gone: 0, back: 1 })
    expect(marked()).toEqual([])
    expect(store.all([here, gone])).toHaveLength(2)
  })

  test('leaves a file as it is of which it cannot be told whether it is there', async () => {
    symlinkSync('loop', join(folder, 'loop'))
    put('1.png')
    database.prepare('UPDATE images SET path = ?').run(join(folder, 'loop/1.png'))
    expect(await looked()).toMatchObject({ state: 'done', gone: 0 })
    expect(marked()).toEqual([])
  })

  test('goes in small parts, between which others have their turn', async () => {
    const images = 1000
    generateHistory(database, images, 1_700_000_000_000, () => {})
    let turns = 0
    const count = () => {
      turns++
      if (told.every((event) => event.type !== 'missing' || event.work.state === 'running')) setImmediate(count)
    }
    setImmediate(count)
    expect(await looked()).toMatchObject({ gone: images, seen: images })
    expect(turns).toBeGreaterThan(images / 20)
  })

  test('comes by itself when the last one was a day ago, and one that was broken off does not count', async () => {
    put('1.png', 10, false)
    const day = 86_400_000
    missing.lookIfDue(day + 1)
    await missing.stop()
    expect((await missing.view()).work).toMatchObject({ state: 'stopped' })
    expect(files.lookedAtMs).toBe(0)
    missing = newMissing()
    missing.lookIfDue(day + 1)
    await waitFor(() => files.lookedAtMs > 0, 'the end of the look', { ms: 30_000 })
    expect(marked()).toHaveLength(1)
    const at = files.lookedAtMs
    missing.lookIfDue(at + day - 1)
    expect((await missing.view()).work?.state).toBe('done')
    missing.lookIfDue(at + day)
    expect((await missing.view()).work?.state).toBe('running')
  })
})

describe('what is missing', () => {
  test('is told by folder; a folder that is gone is one place with all that was in it', async () => {
    for (const name of ['drive/a/1.png', 'drive/a/2.png', 'drive/b/c/3.png', 'here/4.png', 'here/5.png']) put(name)
    rmSync(join(folder, 'drive'), { recursive: true })
    unlinkSync(join(folder, 'here/4.png'))
    await looked()
    expect(await missing.view()).toMatchObject({
      images: 4,
      places: [
        { folder: join(folder, 'drive'), isGone: true, images: 3 },
        { folder: join(folder, 'here'), isGone: false, images: 1 },
      ],
      more: 0,
    })
  })
})

describe('files of a folder that was moved', () => {
  test('are found at the same places below the new one, with rating, and nothing is new', async () => {
    const [first, second] = [put('old/a/1.png', 11), put('old/b/1.png', 12)]
    store.rate(first, 5, 0)
    renameSync(join(folder, 'old'), join(folder, 'new'))
    await looked()
    told = []
    expect(await done(missing.find({ folder: join(folder, 'old'), movedTo: join(folder, 'new') }))).toMatchObject({
      found: 2,
      of: 2,
    })
    expect(store.get(first)).toMatchObject({ path: join(folder, 'new/a/1.png'), rating: 5, missing: false })
    expect(store.get(second)).toMatchObject({ path: join(folder, 'new/b/1.png'), missing: false })
    expect(files.count).toBe(2)
  })

  test('are found by name and size elsewhere in it, and left alone where several could be it or another image has it', async () => {
    const [alone, twice, other] = [put('old/1.png', 11), put('old/2.png', 12), put('old/3.png', 13)]
    const taken = put('new/x/3.png', 13)
    for (const [name, size] of [
      ['x/1.png', 11],
      ['y/1.png', 99],
      ['x/2.png', 12],
      ['y/2.png', 12],
    ] as const) {
      mkdirSync(dirname(join(folder, 'new', name)), { recursive: true })
      writeFileSync(join(folder, 'new', name), Buffer.alloc(size))
    }
    rmSync(join(folder, 'old'), { recursive: true })
    await looked()
    told = []
    expect(await done(missing.find({ folder: join(folder, 'old'), movedTo: join(folder, 'new') }))).toMatchObject({
      found: 1,
      of: 3,
    })
    expect(store.get(alone)?.path).toBe(join(folder, 'new/x/1.png'))
    expect(marked()).toEqual([twice, other])
    expect(store.get(taken)?.path).toBe(join(folder, 'new/x/3.png'))
  })

  test('are not looked for in what is no folder', async () => {
    await expect(missing.find({ folder, movedTo: join(folder, 'none') })).rejects.toMatchObject({ code: 'bad_request' })
  })
})

describe('to remove from the history', () => {
  test('takes only images whose file is missing, and one that is back after all stays', async () => {
    const [here, gone, back] = [put('a/1.png'), put('a/2.png'), put('a/3.png')]
    for (const name of ['a/2.png', 'a/3.png']) unlinkSync(join(folder, name))
    await looked()
    writeFileSync(join(folder, 'a/3.png'), '')
    told = []
    expect(await done(missing.remove({ folder: join(folder, 'a') }))).toMatchObject({ removed: 1, back: 1, of: 2 })
    expect(told).toContainEqual({ type: 'images-removed', ids: [gone] })
    expect(forgotten).toEqual([gone])
    expect(store.all([here, gone, back]).map(({ id, missing }) => [id, missing])).toEqual([
      [here, false],
      [back, false],
    ])
    told = []
    expect(await done(missing.remove({ ids: [here, back] }))).toMatchObject({ removed: 0, of: 0 })
  })

  test('is one piece of work at a time, before which a look that nobody asked for gives way', async () => {
    for (let at = 0; at < 150; at++) put(`${at}.png`, 10, false)
    missing.lookIfDue(Date.now())
    expect((await missing.view()).work).toMatchObject({ what: 'look', state: 'running' })
    expect(await missing.remove({ folder })).toMatchObject({ what: 'remove', state: 'running' })
    expect(() => missing.look()).toThrow(expect.objectContaining({ code: 'conflict' }))
    expect(told.filter((event) => event.type === 'missing').at(-1)).toMatchObject({ work: { what: 'look', state: 'stopped' } })
    await missing.cancel()
  })
})
