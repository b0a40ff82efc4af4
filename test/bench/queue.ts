// npm run bench -- queue [--jobs 100000]: what the queue's operations take with so many pending jobs, beside a plain insert of the
// same rows into SQLite. Times are of the statements, on a real database with synchronous = FULL, as the app has it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Recipe } from '../../src-sidecar/contract/recipe.ts'
import { BulkCancel } from '../../src-sidecar/jobs/bulk-cancel.ts'
import { JobStore, type NewJob } from '../../src-sidecar/jobs/job-store.ts'
import { Pace } from '../../src-sidecar/jobs/pace.ts'
import { QueueEdits } from '../../src-sidecar/jobs/queue-edits.ts'
import type { LaneWork, QueueProcessor } from '../../src-sidecar/jobs/queue-processor.ts'
import { queueTimes } from '../../src-sidecar/jobs/queue-times.ts'
import { type Database, openDatabase } from '../../src-sidecar/store/database.ts'
import { machine, percentile } from '../helpers/bench-table.ts'

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '100000' } } })
const total = Number(values.jobs)
const slice = 1000
const folder = mkdtempSync(join(tmpdir(), 'stablenew-bench-'))

const recipe: Recipe = {
  version: 1,
  prompt: 'a lighthouse above the sea at dusk, long exposure, soft light, '.repeat(4),
  negativePrompt: 'people, text, watermark',
  samplerName: 'Euler a',
  scheduler: 'Automatic',
  steps: 20,
  cfgScale: 7,
  seed: 1,
  width: 512,
  height: 512,
  images: 1,
}
const job: NewJob = { packId: 'user/a.txt', packName: 'a', promptIndex: 0, recipe, pinnedTo: null }
function timed(what: string, times: number, work: (at: number) => unknown): void {
  const ms = Array.from({ length: times }, (_, at) => {
    const began = performance.now()
    work(at)
    return performance.now() - began
  })
  const figures = [percentile(ms, 0.5), percentile(ms, 0.95), Math.max(...ms), ms.reduce((a, b) => a + b, 0)]
  console.log(`${what.padEnd(58)} ${String(times).padStart(5)} ${figures.map((one) => one.toFixed(1).padStart(9)).join(' ')}`)
}

/** The same rows in a table without an index or a trigger: what SQLite itself takes. */
function plainInsert(database: Database): void {
  database.exec('CREATE TABLE plain (id INTEGER PRIMARY KEY, pack TEXT, position REAL, state TEXT, recipe TEXT)')
  const insert = database.prepare(`INSERT INTO plain (pack, position, state, recipe) VALUES ('a', ?, 'queued', ?)`)
  const text = JSON.stringify(recipe)
  timed('floor: plain insert, 1000 rows a transaction', Math.ceil(total / slice), () =>
    database.transaction(() => {
      for (let at = 0; at < slice; at++) insert.run(at, text)
    })(),
  )
  timed('floor: plain update of all rows, one statement', 1, () => database.exec(`UPDATE plain SET state = 'gone'`))
  database.exec('DROP TABLE plain')
}

function queue(database: Database): void {
  const store = new JobStore(database)
  const bulk = new BulkCancel(database)
  const pace = new Pace(database)
  const edits = new QueueEdits({ database, store, onQueue: () => {}, wake: () => {}, randomSeed: () => 1 })
  pace.learn('one', recipe, 5000)
  const lane: LaneWork = { id: 'one', state: 'ready', checkpoints: null, running: [], progress: undefined, isWorking: false }
  const processor = { work: [lane] } as unknown as QueueProcessor
  const view = (offset: number) => queueTimes({ store, pace, processor }, store.pending(100, offset), offset)
  const fence = (id: number, attempt: number) => ({ jobId: id, runId: 'run', attempt })
  const claim = (backendId = 'one', elsewhere: string[] = []) => store.claim('run', { backendId, elsewhere }, 1)

  timed('add, 1000 jobs a transaction', Math.ceil(total / slice), () => {
    store.add(
      Array.from({ length: slice }, () => job),
      1,
    )
  })
  timed('sums of all pending jobs', 100, () => store.pendingTotals())
  timed('first page of 100, with times', 100, () => view(0))
  timed('page in the middle, with times', 20, () => view(total / 2))
  timed('last page, with times', 20, () => view(total - 100))
  timed('claim, and give back', 100, () => {
    const { id, attempt } = claim()!
    store.release(fence(id, attempt), false, null, 1)
  })
  database.exec(`UPDATE jobs SET pinned_to = 'one'`)
  timed('claim for a backend that may do none of them', 20, () => {
    if (claim('other') !== undefined) throw new Error('claimed')
  })
  const ids = (count: number, offset: number) => store.pendingIds(count, offset)
  timed('move one from the end to the top', 100, () => edits.move(ids(1, total - 1), { to: 'top' }))
  timed('move one between the same two in the middle', 100, () => {
    edits.move(ids(1, total - 1), { before: ids(1, total / 2)[0]! })
  })
  timed('move 1000 from the end to the middle', 5, () => edits.move(ids(1000, total - 1000), { before: ids(1, total / 2)[0]! }))
  timed('priority of 1000', 5, (at) => edits.setPriority(ids(1000, total / 2), at % 2 ? 'normal' : 'high'))
  timed('edit one', 100, (at) => edits.edit(ids(1, at), { steps: 30 }))
  timed('edit 1000', 5, () => edits.edit(ids(1000, 1000), { cfgScale: 5 }))
  timed('cancel one, and undo', 100, (at) => {
    const stamp = bulk.stamp(1)
    bulk.cancel(ids(1, at), stamp)
    bulk.restore(stamp)
  })
  const stamp = bulk.stamp(1)
  let left = 1
  timed('cancel all: the statement that puts it in force', 1, () => bulk.beginAll())
  timed('cancel all: a slice of 1000', Math.ceil(total / slice) + 1, () => {
    left = bulk.cancelSome(stamp)
  })
  if (left > 0) throw new Error('not all were cancelled')
  timed('undo it: a slice of 1000', Math.ceil(total / slice) + 1, () => bulk.restore(stamp))
  if (store.pendingTotals().jobs !== total) throw new Error('not all were put back')
}

try {
  const database = await openDatabase(join(folder, 'stablenew.db'), folder)
  console.log(machine())
  console.log(`${`${total.toLocaleString('en')} pending jobs`.padEnd(58)}     n    p50 ms    p95 ms    max ms    sum ms`)
  plainInsert(database)
  queue(database)
  database.close()
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
