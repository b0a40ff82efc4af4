import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BulkCancel } from '../../../src-sidecar/jobs/bulk-cancel.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { QueueEdits } from '../../../src-sidecar/jobs/queue-edits.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newJob } from './queue-fixture.ts'

let database: Database
let store: JobStore
let edits: QueueEdits
let bulk: BulkCancel
let told: string[]

beforeEach(async () => {
  ;({ database } = await newDatabase())
  store = new JobStore(database)
  bulk = new BulkCancel(database)
  told = []
  const [onQueue, wake] = ['queue', 'wake'].map((what) => () => void told.push(what)) as [() => void, () => void]
  edits = new QueueEdits({ database, store, onQueue, wake, randomSeed: () => 77 })
})

afterEach(() => void database.close())

const add = (count: number, more = {}) =>
  store.add(
    Array.from({ length: count }, (_, at) => newJob({ seed: at, ...more })),
    0,
  )
const order = () => store.pendingIds(1000, 0)
const claimed = () => store.claim('run', { backendId: 'any', elsewhere: [] }, 10)!
const pause = { code: 'job_state' } as const

describe('moving', () => {
  test('puts jobs beside another one, at the top or at the bottom, in the order that they have', () => {
    const [a, b, c, d, e] = add(5) as [number, number, number, number, number]
    edits.move([e, b], { before: a })
    expect(order()).toEqual([b, e, a, c, d])
    edits.move([b, a], { after: c })
    expect(order()).toEqual([e, c, b, a, d])
    edits.move([a], { to: 'top' })
    edits.move([e], { to: 'bottom' })
    expect(order()).toEqual([a, c, b, d, e])
    expect(claimed().id).toBe(a)
  })

  test('beside one of those that move is beside the next that stays', () => {
    const [a, b, c, d] = add(4) as [number, number, number, number]
    edits.move([a, c], { before: c })
    expect(order()).toEqual([b, a, c, d])
    edits.move([b, d], { after: d })
    expect(order()).toEqual([a, c, b, d])
    edits.move([a, b, c, d], { to: 'top' })
    expect(order()).toEqual([a, c, b, d])
  })

  test('between the same two jobs never runs out of room', () => {
    const ids = add(300)
    const first = ids[0]!
    let expected = [...ids]
    for (let at = 0; at < 500; at++) {
      const id = expected.at(-1)!
      edits.move([id], { after: first })
      expected = [first, id, ...expected.slice(1, -1)]
      expect(order().slice(0, 3)).toEqual(expected.slice(0, 3))
    }
    expect(order()).toEqual(expected)
    const positions = database
      .prepare(`SELECT position FROM jobs WHERE state = 'queued' ORDER BY position`)
      .pluck()
      .all() as number[]
    expect(positions.every((position, at) => at === 0 || position - positions[at - 1]! > 1e-9)).toBe(true)
  })

  test('takes over the priority of the place', () => {
    const [a, b, c] = add(3) as [number, number, number]
    edits.setPriority([c], 'high')
    expect(order()).toEqual([c, a, b])
    edits.move([b], { before: c })
    expect(store.get(b)?.priority).toBe('high')
    expect(order()).toEqual([b, c, a])
    edits.setPriority([b], 'low')
    expect(order()).toEqual([c, a, b])
    const [later] = add(1)
    expect(order()).toEqual([c, a, later, b])
  })

  test('leaves what runs; beside what runs it is refused, and so is moving it alone', () => {
    const [a, b, c] = add(3) as [number, number, number]
    claimed()
    expect(() => edits.move([c], { before: a })).toThrowError(expect.objectContaining(pause))
    expect(() => edits.move([a], { to: 'bottom' })).toThrowError(expect.objectContaining(pause))
    expect(edits.move([a, c], { before: b })).toBe(1)
    expect(order()).toEqual([c, b])
  })
})

describe('editing', () => {
  test('changes what is named and leaves the rest as each job has it', () => {
    const [a, b] = add(2, { cfgScale: 5 }) as [number, number]
    expect(edits.edit([a, b], { steps: 33, checkpoint: 'sd/Dream.safetensors', images: 4, pinnedTo: 'one' })).toBe(2)
    expect(store.get(a)).toMatchObject({ pinnedTo: 'one', recipe: { steps: 33, cfgScale: 5, seed: 0, images: 4 } })
    expect(store.get(b)?.recipe.seed).toBe(1)
    expect(store.pendingWork()).toMatchObject([{ pinnedTo: 'one', modelKey: 'dream', jobs: 2, images: 8 }])
    expect(store.claim('run', { backendId: 'one', elsewhere: ['dream'] }, 0)).toBeUndefined()
    expect(told).toEqual(['queue', 'wake'])
  })

  test('comes too late for a job that was claimed meanwhile', () => {
    const [a, b] = add(2) as [number, number]
    const job = claimed()
    expect(() => edits.edit([a], { steps: 5 })).toThrowError(expect.objectContaining(pause))
    expect(edits.edit([a, b], { steps: 5 })).toBe(1)
    expect(store.get(a)).toEqual(job)
  })

  test('refuses what no recipe may have, and then changes none', () => {
    const [a, b] = add(2) as [number, number]
    expect(() => edits.edit([a, b], { width: 63 })).toThrow()
    expect([a, b].map((id) => store.get(id)?.recipe.width)).toEqual([64, 64])
  })

  test('leaves images that were made to the job that made them: what is left is a new job in its place', () => {
    const [a, b] = add(2, { images: 5, seed: 100 }) as [number, number]
    const job = claimed()
    const fence = { jobId: a, runId: 'run', attempt: job.attempt }
    store.advance(fence, 0)
    store.advance(fence, 1)
    store.release(fence, false, null, 20)
    edits.edit([a], { prompt: 'a dog' })
    expect(store.get(a)).toMatchObject({ state: 'cancelled', imagesDone: 2, recipe: { prompt: 'a cat', images: 5 } })
    const [rest, next] = store.pending(10, 0)
    expect(rest).toMatchObject({ imagesDone: 0, recipe: { prompt: 'a dog', images: 3, seed: 102 } })
    expect(next?.id).toBe(b)
    expect(store.pendingTotals()).toEqual({ jobs: 2, images: 8 })
  })

  test('does not go on with what a stage has made of the old recipe', () => {
    const stages = [{ as: 'upscale' as const, upscaler: 'Lanczos', scale: 2, keepInput: false }]
    const [a] = add(1, { stages }) as [number]
    database
      .prepare(
        `INSERT INTO unfinished_images (job_id, image_index, stage, path, width, height, seed, checkpoint, backend, duration_ms, parameters)
         VALUES (?, 0, 0, '/work/1.png', 64, 64, 0, '', 'one', 5, '')`,
      )
      .run(a)
    edits.edit([a], { prompt: 'a dog' })
    expect(store.get(a)).toMatchObject({ state: 'cancelled', recipe: { prompt: 'a cat' } })
    expect(store.pending(10, 0)).toMatchObject([{ imagesDone: 0, recipe: { prompt: 'a dog', images: 1, seed: 0 } }])
    expect(order()).not.toContain(a)
  })

  test('says no longer what was chosen where that was written over', () => {
    const chosen = { slots: { mood: 'calm' }, wildcards: {}, sweep: { steps: '20', cfgScale: '7' } }
    const [a, b] = add(2, { chosen }) as [number, number]
    edits.edit([a], { steps: 30 })
    expect(store.get(a)?.recipe.chosen).toEqual({ ...chosen, sweep: { cfgScale: '7' } })
    edits.edit([b], { prompt: 'a wild cat' })
    expect(store.get(b)?.recipe.chosen).toEqual({ sweep: chosen.sweep })
  })
})

describe('a copy', () => {
  test('stands behind the last of those that were copied, and makes all images anew', () => {
    const [a, b, c] = add(3, { images: 3 }) as [number, number, number]
    const job = claimed()
    store.advance({ jobId: a, runId: 'run', attempt: job.attempt }, 0)
    store.release({ jobId: a, runId: 'run', attempt: job.attempt }, false, null, 0)
    const copies = edits.duplicate([b, a], false)
    expect(order()).toEqual([a, b, ...copies, c])
    expect(store.get(copies[0]!)).toMatchObject({ imagesDone: 0, attempt: 0, recipe: store.get(a)!.recipe })
  })

  test('of a job that has ended goes to the end of the queue, with a new seed where that is asked for', () => {
    const [a, b] = add(2) as [number, number]
    store.finish({ jobId: a, runId: 'run', attempt: claimed().attempt }, 'complete', null, 20)
    const copies = edits.duplicate([a], true)
    expect(order()).toEqual([b, ...copies])
    expect(store.get(copies[0]!)?.recipe).toEqual({ ...store.get(a)!.recipe, seed: 77 })
    expect(() => edits.duplicate([a, 999], false)).toThrowError(expect.objectContaining({ code: 'job_not_found' }))
    expect(order()).toHaveLength(2)
  })
})

describe('cancelling many', () => {
  test('can be undone: they are at their old places again', () => {
    const ids = add(5)
    edits.move([ids[4]!], { to: 'top' })
    const before = order()
    const stamp = bulk.stamp(50)
    expect(bulk.cancel([ids[1]!, ids[4]!], stamp)).toBe(2)
    const other = bulk.stamp(50)
    expect(other).toBeGreaterThan(stamp)
    bulk.cancel([ids[2]!], other)
    expect(order()).toEqual([ids[0], ids[3]])
    expect(bulk.restore(stamp)).toBe(2)
    expect(order()).toEqual(before.filter((id) => id !== ids[2]))
    expect(bulk.restore(stamp)).toBe(0)
  })

  test('of a pack leaves the other packs', () => {
    const [mine] = store.add([{ ...newJob(), packId: 'user/dogs.txt' }], 0)
    add(3)
    expect(bulk.cancelPack('user/cats.txt', bulk.stamp(0))).toBe(3)
    expect(order()).toEqual([mine])
  })

  test('all is in force at once, and is brought to its end after a crash; what is added meanwhile stays', () => {
    add(2500)
    const running = claimed()
    bulk.beginAll()
    expect(store.claim('run', { backendId: 'any', elsewhere: [] }, 0)).toBeUndefined()
    expect(bulk.cancelSome(bulk.stamp(0))).toBe(1000)
    const later = add(1)
    expect(claimed().id).toBe(later[0])
    const added = add(2)
    new BulkCancel(database).recover(100)
    expect(order()).toEqual(added)
    expect(store.get(running.id)?.state).toBe('running')
    expect(claimed().id).toBe(added[0])
  })
})
