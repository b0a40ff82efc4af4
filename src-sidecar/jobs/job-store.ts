import type { Job, JobState, Problem } from '../contract/job.ts'
import { modelKey } from '../contract/model-key.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Database } from '../store/database.ts'
import { cancelledUpTo } from './bulk-cancel.ts'
import { type JobRow as Row, toJob } from './job-row.ts'
import { canTransition, list, maxCrashes, type Transition, transitions } from './job-states.ts'
import { queueOrder } from './queue-order.ts'
import { workOf } from './recipe-work.ts'

export interface NewJob {
  readonly packId: string
  readonly packName: string
  readonly promptIndex: number
  readonly recipe: Recipe
  /** The only backend that may do it; null: any. */
  readonly pinnedTo: string | null
}

/** Pending work of one kind. */
export interface PendingWork {
  /** The only backend that may do it. */
  readonly pinnedTo: string | null
  readonly modelKey: string | null
  /** As `workOf` says. */
  readonly shape: string
  readonly jobs: number
  readonly images: number
  readonly load: number
}

/** Whose jobs may be claimed. */
export interface Claimant {
  readonly backendId: string
  /** Checkpoints (`modelKey`) that it lacks and another backend has. */
  readonly elsewhere: readonly string[]
}

/** Who may report on a claimed job: the run and the attempt that claimed it. */
export interface Fence {
  readonly jobId: number
  readonly runId: string
  readonly attempt: number
}

const endStates: readonly JobState[] = ['completed', 'failed', 'cancelled', 'quarantined']

/** The end of the queue, before jobs of a low priority. */
const lastPosition = `(SELECT coalesce(max(position), 0) + 1 FROM jobs WHERE state = 'queued' AND priority = 0)`
/**
 * Every statement on one job, and what the queue as a whole is asked for. `bulk-cancel.ts` has those on many jobs, `queue-order.ts`
 * those on their order. Each change of state is one SQL statement that names the states it may come from.
 */
export class JobStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** All or none. @returns the new ids, in the order given. */
  add(jobs: readonly NewJob[], nowMs: number): number[] {
    const insert = this.#database.prepare(
      `INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, created_at_ms, pinned_to, recipe, images_wanted, model_key, shape, image_load)
       VALUES (?, ?, ?, 'queued', ${lastPosition}, ?, ?, ?, ?, ?, ?, ?)`,
    )
    return this.#database.transaction(() =>
      jobs.map(({ packId, packName, promptIndex, recipe, pinnedTo }) => {
        const { lastInsertRowid } = insert.run(packId, packName, promptIndex, nowMs, pinnedTo, ...columnsOf(recipe))
        return Number(lastInsertRowid)
      }),
    )()
  }

  get(id: number): Job | undefined {
    const row = this.#database.prepare('SELECT * FROM jobs WHERE id = ?').get(id) as Row | undefined
    return row && toJob(row)
  }

  running(): Job[] {
    return this.#select(`SELECT * FROM jobs WHERE state = 'running' ORDER BY id`)
  }

  pending(limit: number, offset: number): Job[] {
    const ids = `SELECT id FROM jobs WHERE state = 'queued' ORDER BY ${queueOrder} LIMIT ? OFFSET ?`
    return this.#select(`SELECT * FROM jobs WHERE id IN (${ids}) ORDER BY ${queueOrder}`, limit, offset)
  }

  /** The ids of pending jobs from this place on. */
  pendingIds(limit: number, offset: number): number[] {
    const sql = `SELECT id FROM jobs WHERE state = 'queued' ORDER BY ${queueOrder} LIMIT ? OFFSET ?`
    return this.#database.prepare(sql).pluck().all(limit, offset) as number[]
  }

  /** Work of the first `count` pending jobs, in the unit of `workOf`. */
  loadAhead(count: number): number {
    const first = `SELECT load_left FROM jobs WHERE state = 'queued' ORDER BY ${queueOrder} LIMIT ?`
    return this.#database.prepare(`SELECT coalesce(sum(load_left), 0) FROM (${first})`).pluck().get(count) as number
  }

  /** What pending jobs have still to make, by what its time depends on. */
  pendingWork(): PendingWork[] {
    return this.#database
      .prepare(
        `SELECT nullif(pinned_to, '') AS pinnedTo, nullif(model_key, '') AS modelKey, shape, jobs, images, load
         FROM pending_work WHERE jobs > 0`,
      )
      .all() as PendingWork[]
  }

  /** Jobs and images that are still to be made by pending jobs. */
  pendingTotals(): { jobs: number; images: number } {
    return this.#database
      .prepare('SELECT coalesce(sum(jobs), 0) AS jobs, coalesce(sum(images), 0) AS images FROM pending_work')
      .get() as { jobs: number; images: number }
  }

  /** The latest ended ones, newest first. */
  ended(limit: number): Job[] {
    return this.#select(`SELECT * FROM jobs WHERE ended_at_ms IS NOT NULL ORDER BY ended_at_ms DESC, id DESC LIMIT ?`, limit)
  }

  get paused(): boolean {
    const row = this.#database.prepare(`SELECT value FROM flags WHERE name = 'paused'`).get() as { value: number } | undefined
    return row?.value === 1
  }

  setPaused(paused: boolean): void {
    this.#database.prepare(`INSERT OR REPLACE INTO flags (name, value) VALUES ('paused', ?)`).run(paused ? 1 : 0)
  }

  /**
   * Takes the next job of the queue that this backend may do, for this run, or nothing; nothing while the queue is paused.
   * The backend waits for it, so it does not wait for the disk: a claim that a power cut undoes was none.
   */
  claim(runId: string, { backendId, elsewhere }: Claimant, nowMs: number): Job | undefined {
    this.#database.pragma('synchronous = NORMAL')
    try {
      const row = this.#database
        .prepare(
          `UPDATE jobs SET state = 'running', run_id = @runId, attempt = attempt + 1, started_at_ms = @nowMs, ended_at_ms = NULL
         WHERE id = (SELECT id FROM jobs WHERE state = 'queued' AND coalesce(pinned_to, @backendId) = @backendId
             AND coalesce(model_key, '') NOT IN (SELECT value FROM json_each(@elsewhere))
             AND id > coalesce((SELECT value FROM flags WHERE name = '${cancelledUpTo}'), 0) ORDER BY ${queueOrder} LIMIT 1)
           AND state = 'queued'
           AND NOT EXISTS (SELECT 1 FROM flags WHERE name = 'paused' AND value = 1) RETURNING *`,
        )
        .get({ runId, nowMs, backendId, elsewhere: JSON.stringify(elsewhere) }) as Row | undefined
      return row && toJob(row)
    } finally {
      this.#database.pragma('synchronous = FULL')
    }
  }

  /** Counts one more finished image. @returns false where the fence no longer holds; then nothing was changed. */
  advance(fence: Fence, imageIndex: number): boolean {
    return (
      this.#database
        .prepare(
          `UPDATE jobs SET images_done = images_done + 1
           WHERE id = ? AND run_id = ? AND attempt = ? AND state = 'running' AND images_done = ?`,
        )
        .run(fence.jobId, fence.runId, fence.attempt, imageIndex).changes === 1
    )
  }

  /** Whether the fence still holds, and this image is the next one. */
  holds(fence: Fence, imageIndex: number): boolean {
    return (
      this.#database
        .prepare(`SELECT 1 FROM jobs WHERE id = ? AND run_id = ? AND attempt = ? AND state = 'running' AND images_done = ?`)
        .get(fence.jobId, fence.runId, fence.attempt, imageIndex) !== undefined
    )
  }

  /** Ends a claimed job. @returns the job as it is now, or undefined where the fence no longer held. */
  finish(fence: Fence, how: 'complete' | 'fail' | 'cancelRunning', problem: Problem | null, nowMs: number): Job | undefined {
    const row = this.#database
      .prepare(
        `UPDATE jobs SET state = ?, problem_code = ?, problem_message = ?, ended_at_ms = ?
         WHERE id = ? AND run_id = ? AND attempt = ? AND state IN (${list(transitions[how].from)}) RETURNING *`,
      )
      .get(
        transitions[how].to,
        problem?.code ?? null,
        problem?.message ?? null,
        nowMs,
        fence.jobId,
        fence.runId,
        fence.attempt,
      ) as Row | undefined
    return row && toJob(row)
  }

  /**
   * Gives a claimed job back: interrupted, then at once queued again at its old place, or quarantined where it took
   * the app or the backend down too often.
   * @param crashed whether the app or the backend went down with it.
   */
  release(fence: Fence, crashed: boolean, problem: Problem | null, nowMs: number): Job | undefined {
    return this.#database.transaction(() => {
      const row = this.#database
        .prepare(
          `UPDATE jobs SET state = '${transitions.interrupt.to}', crashes = crashes + ?, problem_code = ?, problem_message = ?
           WHERE id = ? AND run_id = ? AND attempt = ? AND state = 'running' RETURNING *`,
        )
        .get(crashed ? 1 : 0, problem?.code ?? null, problem?.message ?? null, fence.jobId, fence.runId, fence.attempt) as
        | Row
        | undefined
      if (row === undefined) return undefined
      this.#settleInterrupted(nowMs)
      return this.get(fence.jobId)
    })()
  }

  /**
   * What an older run left `running` went down with it: interrupted, and back to the queue.
   * @param crashed false where it came to its end, and only could not write that down
   * @returns the jobs that were found so, as they are now.
   */
  recover(runId: string, nowMs: number, crashed = true): Job[] {
    return this.#database.transaction(() => {
      const rows = this.#database
        .prepare(
          `UPDATE jobs SET state = '${transitions.interrupt.to}', crashes = crashes + ?
           WHERE state = 'running' AND run_id IS NOT ? RETURNING id`,
        )
        .all(crashed ? 1 : 0, runId) as { id: number }[]
      this.#settleInterrupted(nowMs)
      return rows.map(({ id }) => this.get(id)!)
    })()
  }

  /** Takes it out of the queue. @param stamp as `BulkCancel.stamp` says: what `BulkCancel.restore` finds it by. */
  cancelPending(id: number, stamp: number): Job | undefined {
    return this.#change('cancelPending', id, `ended_at_ms = ${Math.trunc(stamp)}`)
  }

  /** Puts an ended job at the end of the queue again; its finished images stay. */
  retry(id: number): Job | undefined {
    return this.#change(
      'retry',
      id,
      `crashes = 0, problem_code = NULL, problem_message = NULL, ended_at_ms = NULL, priority = 0, position = ${lastPosition}`,
    )
  }

  /** Runs `work` as one transaction: all of its rows or none. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work)()
  }

  #settleInterrupted(nowMs: number): void {
    this.#database
      .prepare(
        `UPDATE jobs SET state = '${transitions.quarantine.to}', ended_at_ms = ?, problem_code = 'backend_unreachable',
           problem_message = 'This job was running when the app or its backend went down, ' || crashes || ' times. It is kept out of the queue; Retry puts it back.'
         WHERE state = 'interrupted' AND crashes >= ${maxCrashes}`,
      )
      .run(nowMs)
    this.#database.prepare(`UPDATE jobs SET state = '${transitions.requeue.to}' WHERE state = 'interrupted'`).run()
  }

  #change(transition: Transition, id: number, set: string): Job | undefined {
    const { from, to } = transitions[transition]
    const row = this.#database
      .prepare(`UPDATE jobs SET state = '${to}', ${set} WHERE id = ? AND state IN (${list(from)}) RETURNING *`)
      .get(id) as Row | undefined
    return row && toJob(row)
  }

  #select(sql: string, ...values: number[]): Job[] {
    return (this.#database.prepare(sql).all(...values) as Row[]).map(toJob)
  }
}

/** The columns `recipe, images_wanted, model_key, shape, image_load`. */
export function columnsOf(recipe: Recipe): [string, number, string | null, string, number] {
  const { shape, load } = workOf(recipe)
  return [JSON.stringify(recipe), recipe.images, recipe.checkpoint ? modelKey(recipe.checkpoint) : null, shape, load]
}

/** Whether a job is over, for good or until somebody retries it. */
export const isEnded = (state: JobState): boolean => endStates.includes(state)
export { canTransition }
