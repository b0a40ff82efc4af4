import type { Job, JobTime } from '../../src-sidecar/contract/job.ts'

export interface PendingRow {
  readonly job: Job
  readonly time: JobTime
}

/** The pending jobs in their order; what has not been fetched is undefined. */
export type PendingRows = readonly (PendingRow | undefined)[]

/** With a page that was fetched put in its place; `total` is how many there are in all. */
export function withPage(rows: PendingRows, page: readonly PendingRow[], offset: number, total: number): PendingRows {
  const next = rows.slice(0, total)
  next.length = total
  const fetched = new Set(page.map(({ job }) => job.id))
  // A job that moved is shown once.
  for (let index = 0; index < total; index++) if (fetched.has(next[index]?.job.id ?? -1)) next[index] = undefined
  for (const [index, row] of page.entries()) if (offset + index < total) next[offset + index] = row
  return next
}

/** After one job changed: it stays where it is, or leaves the list. The order is the sidecar's to say. */
export function withPendingJob(rows: PendingRows, job: Job): PendingRows {
  const at = rows.findIndex((row) => row?.job.id === job.id)
  if (at < 0) return rows
  const isPending = job.state === 'queued' || job.state === 'interrupted'
  return isPending ? rows.with(at, { ...rows[at]!, job }) : rows.toSpliced(at, 1)
}

/** With these jobs put before the place that has this index now; those that are not fetched are left to the next answer. */
export function withMoved(rows: PendingRows, ids: ReadonlySet<number>, index: number): PendingRows {
  const isMoved = (row: PendingRow | undefined) => row !== undefined && ids.has(row.job.id)
  const moved = rows.filter(isMoved)
  const before = rows.slice(0, index).filter((row) => !isMoved(row))
  return [...before, ...moved, ...rows.slice(index).filter((row) => !isMoved(row))]
}

/** Which rows of equal height are seen. @returns first and behind the last, with some more on both sides. */
export function rowsSeen(top: number, viewHeight: number, rowHeight: number, total: number, more = 8): [number, number] {
  const first = Math.floor(top / rowHeight) - more
  const last = Math.ceil((top + viewHeight) / rowHeight) + more
  return [Math.min(total, Math.max(0, first)), Math.min(total, Math.max(0, last))]
}
