import type { Priority } from '../contract/job.ts'
import type { MoveTarget } from '../contract/queue-request.ts'
import type { Database } from '../store/database.ts'
import { priorityNumbers } from './job-row.ts'

/** Positions come no closer to each other: a REAL tells them apart up to 2³². */
const leastGap = 1e-6
/** What is moved on to make room is spread out so far at least, so that room is not made again soon. */
const goodGap = 1e-3

/** The order in which pending jobs run, for `ORDER BY`. */
export const queueOrder = 'priority DESC, position, id'
const fromTheEnd = 'priority, position DESC, id DESC'

interface Place {
  readonly id: number
  readonly priority: number
  readonly position: number
}

interface Beside {
  /** Stays where it is. */
  readonly anchor: Place
  readonly isBefore: boolean
}

/**
 * The order of the pending jobs: by priority, then by position. A job that is put between two others gets a position between
 * theirs; where there is no more room, the jobs behind it move on a little. Each change is one transaction.
 */
export class QueueOrder {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Puts pending jobs somewhere else, in the order that they have.
   * @returns how many of them are pending, or undefined where the job that they go beside is not (any more).
   */
  move(ids: readonly number[], target: MoveTarget): number | undefined {
    return this.#database.transaction(() => {
      const moving = this.pendingOf(ids)
      if (moving.length === 0) return 0
      const named = 'to' in target ? undefined : this.#pending('before' in target ? target.before : target.after)
      if (named === undefined && !('to' in target)) return undefined
      const beside = named === undefined ? this.#atEnd(target, moving) : this.#besideNamed(named, 'before' in target, moving)
      if (beside !== undefined) this.#put(moving, beside)
      return moving.length
    })()
  }

  /** Within the new priority they keep their positions. @returns how many are pending. */
  setPriority(ids: readonly number[], priority: Priority): number {
    return this.#database
      .prepare(`UPDATE jobs SET priority = ? WHERE state = 'queued' AND id IN (SELECT value FROM json_each(?))`)
      .run(priorityNumbers[priority], JSON.stringify(ids)).changes
  }

  /** Those of `ids` that are pending, in the order of the queue. */
  pendingOf(ids: readonly number[]): number[] {
    return this.#database
      .prepare(`SELECT id FROM jobs WHERE state = 'queued' AND id IN (SELECT value FROM json_each(?)) ORDER BY ${queueOrder}`)
      .pluck()
      .all(JSON.stringify(ids)) as number[]
  }

  #pending(id: number): Place | undefined {
    return this.#place('id = ?', queueOrder, [], id)
  }

  /** Undefined where all that wait move. */
  #atEnd(target: MoveTarget, moving: readonly number[]): Beside | undefined {
    const isBefore = 'to' in target && target.to === 'top'
    const anchor = this.#place('true', isBefore ? queueOrder : fromTheEnd, moving)
    return anchor && { anchor, isBefore }
  }

  /** Beside one that moves itself: beside the nearest that stays. */
  #besideNamed(named: Place, isBefore: boolean, moving: readonly number[]): Beside | undefined {
    if (!moving.includes(named.id)) return { anchor: named, isBefore }
    const { priority, position, id } = named
    const compare = (sign: string) => `(-priority, position, id) ${sign} (?, ?, ?)`
    const behind = this.#place(compare('>'), queueOrder, moving, -priority, position, id)
    if (behind !== undefined) return { anchor: behind, isBefore: true }
    const ahead = this.#place(compare('<'), fromTheEnd, moving, -priority, position, id)
    return ahead && { anchor: ahead, isBefore: false }
  }

  #put(moving: readonly number[], { anchor, isBefore }: Beside): void {
    const { priority, position, id } = anchor
    const next = (sign: string, order: string) =>
      this.#place(`priority = ? AND (position, id) ${sign} (?, ?)`, order, moving, priority, position, id)
    const before = isBefore ? next('<', fromTheEnd) : anchor
    const after = isBefore ? anchor : next('>', queueOrder)
    if (before === undefined) this.#spread(moving, priority, position - moving.length - 1, 1)
    else if (after === undefined) this.#spread(moving, priority, position, 1)
    else {
      const gap = (after.position - before.position) / (moving.length + 1)
      if (gap >= leastGap) this.#spread(moving, priority, before.position, gap)
      else this.#makeRoom(moving, before, after)
    }
  }

  /** Takes so many of the jobs behind along that all of them have room. */
  #makeRoom(moving: readonly number[], before: Place, after: Place): void {
    const { priority } = after
    const select = this.#database.prepare(
      `SELECT id, position FROM jobs WHERE state = 'queued' AND priority = ? AND (position, id) >= (?, ?)
         AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY ${queueOrder} LIMIT ?`,
    )
    let all: readonly number[] = []
    let gap = 0
    for (let count = 2 * moving.length + 30; gap < goodGap; count *= 4) {
      const found = select.all(priority, after.position, after.id, JSON.stringify(moving), count + 1) as Place[]
      const limit = found[count]
      all = [...moving, ...found.slice(0, count).map(({ id }) => id)]
      gap = limit === undefined ? 1 : (limit.position - before.position) / (all.length + 1)
    }
    this.#spread(all, priority, before.position, gap)
  }

  #spread(ids: readonly number[], priority: number, before: number, gap: number): void {
    const update = this.#database.prepare(`UPDATE jobs SET priority = ?, position = ? WHERE id = ? AND state = 'queued'`)
    for (const [index, id] of ids.entries()) update.run(priority, before + gap * (index + 1), id)
  }

  /** The first pending job in this order of which `where` is true, and that does not move. */
  #place(where: string, order: string, moving: readonly number[], ...values: number[]): Place | undefined {
    return this.#database
      .prepare(
        `SELECT id, priority, position FROM jobs WHERE state = 'queued' AND ${where}
           AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY ${order} LIMIT 1`,
      )
      .get(...values, JSON.stringify(moving)) as Place | undefined
  }
}
