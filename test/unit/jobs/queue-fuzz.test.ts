import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Priority } from '../../../src-sidecar/contract/job.ts'
import type { MoveTarget } from '../../../src-sidecar/contract/queue-request.ts'
import { BulkCancel } from '../../../src-sidecar/jobs/bulk-cancel.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { QueueEdits } from '../../../src-sidecar/jobs/queue-edits.ts'
import { workOf } from '../../../src-sidecar/jobs/recipe-work.ts'
import { openDatabase } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newJob, recipe } from './queue-fixture.ts'

/** The queue as simply as it can be: one list for each priority. */
interface Model {
  high: number[]
  normal: number[]
  low: number[]
  steps: Map<number, number>
}
const order = (model: Model) => levels.flatMap((level) => model[level])
const levelOf = (model: Model, id: number): Priority => levels.find((level) => model[level].includes(id))!
const remove = (model: Model, ids: readonly number[]) => {
  for (const level of levels) model[level] = model[level].filter((id) => !ids.includes(id))
}

/** Picks jobs by number, whatever is there. */
const levels = ['high', 'normal', 'low'] as const
const picks = fc.array(fc.nat(40), { minLength: 1, maxLength: 6 })
const action = fc.oneof(
  fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    do: fc.constant('move' as const),
    picks,
    beside: fc.nat(40),
    how: fc.constantFrom('before', 'after', 'top', 'bottom'),
  }),
  fc.record({ do: fc.constant('priority' as const), picks, priority: fc.constantFrom(...levels) }),
  fc.record({ do: fc.constant('duplicate' as const), picks }),
  fc.record({ do: fc.constant('edit' as const), picks, steps: fc.integer({ min: 1, max: 99 }) }),
  fc.record({ do: fc.constant('cancel' as const), picks, undo: fc.boolean() }),
  fc.record({ do: fc.constant('cancelAll' as const), undo: fc.boolean() }),
  fc.record({ do: fc.constant('claim' as const) }),
  fc.record({ do: fc.constant('complete' as const) }),
  fc.record({ do: fc.constant('reopen' as const) }),
)

const chosen = (model: Model, picks: readonly number[]): number[] => {
  const all = order(model)
  const ids = new Set(picks.map((pick) => all[pick % all.length]!))
  return all.filter((id) => ids.has(id))
}

/** As `QueueOrder.move` says, on lists. */
function move(model: Model, ids: readonly number[], how: string, beside: number): void {
  const all = order(model)
  const staying = all.filter((id) => !ids.includes(id))
  if (staying.length === 0) return
  let anchor = how === 'top' ? staying[0]! : how === 'bottom' ? staying.at(-1)! : beside
  let before = how === 'top' || how === 'before'
  if (ids.includes(anchor)) {
    const behind = all.slice(all.indexOf(anchor)).find((id) => staying.includes(id))
    before = behind !== undefined
    anchor = behind ?? staying.at(-1)!
  }
  const level = levelOf(model, anchor)
  remove(model, ids)
  model[level].splice(model[level].indexOf(anchor) + (before ? 0 : 1), 0, ...ids)
}

test('whatever is done with the queue, its order, its sums and what is in it are those of a simple list, also after a crash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60 }), async (actions) => {
      const { path, folder, database: first } = await newDatabase()
      let database = first
      let run = 0
      const parts = () => {
        const store = new JobStore(database)
        const edits = new QueueEdits({ database, store, onQueue: () => {}, wake: () => {}, randomSeed: () => 1 })
        return { store, edits, bulk: new BulkCancel(database) }
      }
      let { store, edits, bulk } = parts()
      const model: Model = { high: [], normal: [], low: [], steps: new Map() }
      const add = (ids: readonly number[]) => {
        model.normal.push(...ids)
        for (const id of ids) model.steps.set(id, 20)
      }
      /** Their places are kept by the database alone, so only their order among each other is compared. */
      const cancelled = (ids: readonly number[], undo: boolean, stamp: number, before: Model) => {
        remove(model, ids)
        if (!undo) return
        while (bulk.restore(stamp) > 0);
        Object.assign(model, before)
      }
      for (const one of actions) {
        const ids = 'picks' in one ? chosen(model, one.picks) : []
        const before = { high: model.high, normal: model.normal, low: model.low }
        if ('picks' in one && ids.length === 0) continue
        if (one.do === 'add')
          add(
            store.add(
              Array.from({ length: one.count }, () => newJob()),
              0,
            ),
          )
        else if (one.do === 'move') {
          const beside = order(model)[one.beside % order(model).length]!
          const target = (
            one.how === 'before' ? { before: beside } : one.how === 'after' ? { after: beside } : { to: one.how }
          ) as MoveTarget
          expect(edits.move(ids, target)).toBe(ids.length)
          move(model, ids, one.how, beside)
        } else if (one.do === 'priority') {
          expect(edits.setPriority(ids, one.priority)).toBe(ids.length)
          // Where among the others depends on positions, which the model does not know: the others keep their order.
          const now = store.pending(1000, 0)
          const others = (all: readonly number[]) => all.filter((id) => !ids.includes(id))
          expect(others(now.map(({ id }) => id))).toEqual(others(order(model)))
          for (const level of levels) model[level] = now.flatMap(({ id, priority }) => (priority === level ? [id] : []))
          expect(ids.every((id) => model[one.priority].includes(id))).toBe(true)
        } else if (one.do === 'duplicate') {
          const copies = edits.duplicate(ids, false)
          const at = ids.at(-1)!
          const level = levelOf(model, at)
          model[level] = model[level].flatMap((id) => (id === at ? [id, ...copies] : [id]))
          for (const [index, id] of copies.entries()) model.steps.set(id, model.steps.get(ids[index]!)!)
        } else if (one.do === 'edit') {
          expect(edits.edit(ids, { steps: one.steps })).toBe(ids.length)
          for (const id of ids) model.steps.set(id, one.steps)
        } else if (one.do === 'cancel') {
          const stamp = bulk.stamp(0)
          expect(bulk.cancel(ids, stamp)).toBe(ids.length)
          cancelled(ids, one.undo, stamp, before as Model)
        } else if (one.do === 'cancelAll') {
          const all = order(model)
          const stamp = bulk.stamp(0)
          bulk.beginAll()
          expect(store.claim('run', { backendId: 'any', elsewhere: [] }, 0)).toBeUndefined()
          while (bulk.cancelSome(stamp) > 0);
          cancelled(all, one.undo, stamp, before as Model)
        } else if (one.do === 'claim') {
          const next = store.claim(`run ${run}`, { backendId: 'any', elsewhere: [] }, 0)
          expect(next?.id).toBe(order(model)[0])
          // What is given back finds its old place.
          if (next !== undefined) store.release({ jobId: next.id, runId: `run ${run}`, attempt: next.attempt }, false, null, 0)
        } else if (one.do === 'complete') {
          const next = store.claim(`run ${run}`, { backendId: 'any', elsewhere: [] }, 0)
          if (next === undefined) continue
          store.finish({ jobId: next.id, runId: `run ${run}`, attempt: next.attempt }, 'complete', null, 0)
          remove(model, [next.id])
        } else {
          // As after a crash: nothing is closed properly but the file.
          store.claim(`run ${run}`, { backendId: 'any', elsewhere: [] }, 0)
          database.close()
          database = await openDatabase(path, join(folder, 'backups'))
          ;({ store, edits, bulk } = parts())
          run++
          const back = store.recover(`run ${run}`, 0)
          bulk.recover(0)
          remove(
            model,
            back.flatMap(({ id, state }) => (state === 'quarantined' ? [id] : [])),
          )
        }
        const all = order(model)
        expect(store.pending(1000, 0).map(({ id, recipe: { steps }, priority }) => [id, steps, priority])).toEqual(
          all.map((id) => [id, model.steps.get(id), levelOf(model, id)]),
        )
        expect(store.pendingTotals()).toEqual({ jobs: all.length, images: all.length })
        const load = all.reduce((sum, id) => sum + workOf(recipe({ steps: model.steps.get(id)! })).load, 0)
        expect(store.loadAhead(all.length)).toBe(load)
        expect(store.pendingWork().reduce((sum, work) => sum + work.load, 0)).toBe(load)
      }
      database.close()
    }),
    { numRuns: 40 },
  )
})
