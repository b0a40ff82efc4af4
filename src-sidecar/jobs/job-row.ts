import type { Job, JobState, Priority, Problem } from '../contract/job.ts'

/** A row of the job table, as far as a job is made of it. */
export interface JobRow {
  id: number
  pack_id: string
  pack_name: string
  prompt_index: number
  state: JobState
  recipe: string
  images_done: number
  pinned_to: string | null
  priority: number
  attempt: number
  problem_code: string | null
  problem_message: string | null
  created_at_ms: number
  started_at_ms: number | null
  ended_at_ms: number | null
}

const priorityNames: Record<number, Priority> = { 1: 'high', 0: 'normal', [-1]: 'low' }
/** As the table has them. */
export const priorityNumbers: Record<Priority, number> = { high: 1, normal: 0, low: -1 }

export const toJob = (row: JobRow): Job => ({
  id: row.id,
  packId: row.pack_id,
  packName: row.pack_name,
  promptIndex: row.prompt_index,
  state: row.state,
  recipe: JSON.parse(row.recipe),
  imagesDone: row.images_done,
  pinnedTo: row.pinned_to,
  priority: priorityNames[row.priority] ?? 'normal',
  attempt: row.attempt,
  problem: row.problem_code === null ? null : ({ code: row.problem_code, message: row.problem_message ?? '' } as Problem),
  createdAtMs: row.created_at_ms,
  startedAtMs: row.started_at_ms,
  endedAtMs: row.ended_at_ms,
})
