import { expect, test } from 'vitest'
import { BulkCancel } from '../../../src-sidecar/jobs/bulk-cancel.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { QueueEdits } from '../../../src-sidecar/jobs/queue-edits.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newJob } from './queue-fixture.ts'

/** The same database; every statement that is prepared on it is added to `seen`. */
function recorded(database: Database, seen: Set<string>): Database {
  return new Proxy(database, {
    get(target, key) {
      if (key === 'prepare')
        return (sql: string) => {
          seen.add(sql)
          return target.prepare(sql)
        }
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('no statement of the queue reads the whole job table: each goes by an index', async () => {
  const { database } = await newDatabase()
  const seen = new Set<string>()
  const store = new JobStore(recorded(database, seen))
  const bulk = new BulkCancel(recorded(database, seen))
  const noop = () => {}
  const edits = new QueueEdits({ database: recorded(database, seen), store, onQueue: noop, wake: noop, randomSeed: () => 1 })
  const claim = () => store.claim('run', { backendId: 'one', elsewhere: ['dream'] }, 0)!
  const fence = ({ id, attempt }: { id: number; attempt: number }) => ({ jobId: id, runId: 'run', attempt })

  const ids = store.add(
    Array.from({ length: 50 }, () => newJob({ images: 2 })),
    0,
  )
  const job = claim()
  store.advance(fence(job), 0)
  store.release(fence(job), true, null, 0)
  store.finish(fence(claim()), 'fail', null, 5)
  store.retry(job.id)
  store.recover('next', 0)
  store.running()
  store.ended(10)
  store.pending(10, 5)
  store.pendingIds(10, 5)
  store.loadAhead(10)
  store.pendingTotals()
  edits.move([ids[9]!, ids[12]!], { before: ids[12]! })
  for (let at = 0; at < 30; at++) edits.move([ids[40]!, ids[41]!], { after: ids[20]! })
  edits.move([ids[9]!], { to: 'bottom' })
  edits.setPriority([ids[10]!], 'high')
  edits.edit([job.id, ids[11]!], { steps: 5 })
  edits.duplicate([ids[10]!], true)
  const stamp = bulk.stamp(9)
  bulk.cancel([ids[15]!], stamp)
  bulk.cancelPack('user/dogs.txt', stamp)
  bulk.restore(stamp)
  bulk.beginAll()
  bulk.cancelSome(stamp)
  bulk.recover(0)

  expect(seen.size).toBeGreaterThan(25)
  const scans = [...seen].flatMap((sql) => {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.replace(/\?|@\w+/g, 'NULL')}`).all() as { detail: string }[]
    return plan.some(({ detail }) => /^SCAN jobs(?! USING)/.test(detail)) ? [sql] : []
  })
  expect(scans).toEqual([])
  database.close()
})
