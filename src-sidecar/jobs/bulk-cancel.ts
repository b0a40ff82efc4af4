import type { Database } from '../store/database.ts'
import { list, transitions } from './job-states.ts'
import { queueOrder } from './queue-order.ts'

/** The flag that says up to which id no job may be claimed, while many are being cancelled. */
export const cancelledUpTo = 'cancelled_up_to'
/** Rows that are changed at once: some 20 ms in which nothing else is answered. */
const rowsAtOnce = 1000

/**
 * Cancels many pending jobs, and puts them back. What may concern the whole queue goes in slices, so that the event loop goes on;
 * to cancel all is in force with its first statement, also where the app ends before the last.
 */
export class BulkCancel {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The time as it is stamped on jobs that are cancelled together: no two are the same. */
  stamp(nowMs: number): number {
    const latest = this.#database.prepare('SELECT max(ended_at_ms) FROM jobs WHERE ended_at_ms IS NOT NULL').pluck().get()
    return Math.max(Math.trunc(nowMs), ((latest as number | null) ?? 0) + 1)
  }

  /** Those of `ids` that wait. @returns how many. */
  cancel(ids: readonly number[], stamp: number): number {
    return this.#cancelWhere('id IN (SELECT value FROM json_each(?))', stamp, JSON.stringify(ids))
  }

  /** All that wait and came from this pack, a slice; to be called until it is 0. @returns how many. */
  cancelPack(packId: string, stamp: number): number {
    const some = `SELECT id FROM jobs WHERE state = 'queued' AND pack_id = ? ORDER BY ${queueOrder} LIMIT ${rowsAtOnce}`
    return this.#cancelWhere(`id IN (${some})`, stamp, packId)
  }

  /** From now on none of the jobs that wait is claimed any more, whatever happens; `cancelSome` does the rest. */
  beginAll(): void {
    const all = `SELECT '${cancelledUpTo}', coalesce(max(id), 0) FROM jobs`
    this.#database.prepare(`INSERT OR REPLACE INTO flags (name, value) ${all}`).run()
  }

  /** A slice of what `beginAll` began; to be called until it is 0. @returns how many. */
  cancelSome(stamp: number): number {
    const upTo = `coalesce((SELECT value FROM flags WHERE name = '${cancelledUpTo}'), 0)`
    const some = `SELECT id FROM jobs WHERE state = 'queued' AND id <= ${upTo} ORDER BY ${queueOrder} LIMIT ${rowsAtOnce}`
    const cancelled = this.#cancelWhere(`id IN (${some})`, stamp)
    if (cancelled === 0) this.#database.prepare(`DELETE FROM flags WHERE name = '${cancelledUpTo}'`).run()
    return cancelled
  }

  /** Puts jobs that were cancelled together back to their places, a slice; to be called until it is 0. @returns how many. */
  restore(stamp: number): number {
    const some = `SELECT id FROM jobs WHERE ended_at_ms = ? AND state = 'cancelled' LIMIT ${rowsAtOnce}`
    return this.#database
      .prepare(
        `UPDATE jobs SET state = '${transitions.retry.to}', ended_at_ms = NULL, crashes = 0, problem_code = NULL, problem_message = NULL
         WHERE state IN (${list(transitions.retry.from)}) AND id IN (${some})`,
      )
      .run(stamp).changes
  }

  /** What an older run had begun is brought to its end. */
  recover(nowMs: number): void {
    const stamp = this.stamp(nowMs)
    while (this.cancelSome(stamp) > 0);
    // Kinds of work that there is none of any more.
    this.#database.prepare('DELETE FROM pending_work WHERE jobs = 0').run()
  }

  #cancelWhere(where: string, stamp: number, ...values: string[]): number {
    const { from, to } = transitions.cancelPending
    return this.#database
      .prepare(`UPDATE jobs SET state = '${to}', ended_at_ms = ? WHERE state IN (${list(from)}) AND ${where}`)
      .run(stamp, ...values).changes
  }
}
