import { expect, test } from 'vitest'
import { idleMemories } from '../../../src-sidecar/compose-backends.ts'
import type { Job, JobProgress } from '../../../src-sidecar/contract/job.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { newJob, silent } from '../jobs/queue-fixture.ts'
import { ScriptedBackend } from '../jobs/scripted-backend.ts'

const progress = (jobId: number, backendId: string): JobProgress => ({
  jobId,
  backendId,
  imageIndex: 0,
  stage: 0,
  stages: ['txt2img'],
  step: 1,
  steps: 2,
  fraction: 0.5,
  elapsedMs: 1,
  remainingMs: null,
  previewVersion: 0,
})
const ended = (id: number): Job => ({
  ...newJob(),
  id,
  state: 'completed',
  imagesDone: 1,
  priority: 'normal',
  attempt: 1,
  problem: null,
  createdAtMs: 0,
  startedAtMs: 0,
  endedAtMs: 1,
})

test('the backend that has nothing to do gives its memory back, the one that goes on with the next job does not', async () => {
  const freed: string[] = []
  const backends = ['one', 'other'].map((id) =>
    Object.assign(new ScriptedBackend(id), { freeMemory: async () => freed.push(id) > 0 }),
  )
  const running = [progress(3, 'other')]
  const memories = idleMemories({
    // What a switch adds is not asked for here.
    pool: { all: backends as never },
    processor: { progress: running },
    afterMs: () => 50,
    logger: silent,
  })
  for (const [jobId, id] of [
    [1, 'one'],
    [2, 'other'],
    [3, 'other'],
  ] as const)
    memories.hear({ type: 'progress', progress: progress(jobId, id) })
  for (const id of [1, 2]) memories.hear({ type: 'job', job: ended(id) })
  await waitFor(() => freed.length > 0, 'the memory of the idle one')
  await waitFor(() => freed.length > 1, 'time to pass', { ms: 200 }).catch(() => {})
  expect(freed).toEqual(['one'])
  running.pop()
  memories.hear({ type: 'job', job: ended(3) })
  await waitFor(() => freed.length > 1, 'the memory of the other')
  expect(freed).toEqual(['one', 'other'])
  await memories.stop()
})
