import { expect, test } from 'vitest'
import type { Job } from '../../src-sidecar/contract/job.ts'
import {
  type PendingRow,
  type PendingRows,
  rowsSeen,
  withMoved,
  withPage,
  withPendingJob,
} from '../../src-ui/state/pending-rows.ts'

const row = (id: number): PendingRow => ({ job: { id, state: 'queued' } as Job, time: { workMs: null, endsInMs: null } })
const rows = (...ids: number[]) => ids.map(row)
const ids = (list: PendingRows) => Array.from(list, (one) => one?.job.id ?? null)

test('a page is put in its place, and a job that moved into it is shown once', () => {
  const list = withPage([], rows(1, 2, 3), 0, 6)
  expect(ids(list)).toEqual([1, 2, 3, null, null, null])
  expect(ids(withPage(list, rows(2, 9), 3, 6))).toEqual([1, null, 3, 2, 9, null])
  expect(ids(withPage(list, rows(4), 1, 2))).toEqual([1, 4])
})

test('a job that is begun or cancelled leaves the list, one that changes stays', () => {
  expect(ids(withPendingJob(rows(1, 2, 3), { id: 2, state: 'running' } as Job))).toEqual([1, 3])
  const changed = withPendingJob(rows(1, 2), { id: 2, state: 'queued', attempt: 4 } as Job)
  expect(changed[1]?.job.attempt).toBe(4)
  const list = rows(1)
  expect(withPendingJob(list, { id: 7, state: 'queued' } as Job)).toBe(list)
})

test('jobs are moved before the place that is meant, up and down, in their order', () => {
  const list = rows(1, 2, 3, 4, 5)
  expect(ids(withMoved(list, new Set([4, 2]), 0))).toEqual([2, 4, 1, 3, 5])
  expect(ids(withMoved(list, new Set([1, 3]), 5))).toEqual([2, 4, 5, 1, 3])
  expect(ids(withMoved(list, new Set([2]), 3))).toEqual([1, 3, 2, 4, 5])
  expect(ids(withMoved([...rows(1), undefined, ...rows(3)], new Set([3]), 1))).toEqual([1, 3, null])
})

test('the rows that are seen are those on the screen and a few more, within the list', () => {
  expect(rowsSeen(0, 100, 10, 1000, 2)).toEqual([0, 12])
  expect(rowsSeen(500, 100, 10, 1000, 2)).toEqual([48, 62])
  expect(rowsSeen(-300, 100, 10, 1000, 2)).toEqual([0, 0])
  expect(rowsSeen(9950, 100, 10, 1000, 2)).toEqual([993, 1000])
})
