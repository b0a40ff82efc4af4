import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Job, JobState, Queue } from '../contract/job.ts'
import { waitFor } from '../lifecycle/wait-for.ts'
import type { AppUnderTest } from './app-under-test.ts'

/** A real model takes its time to load. */
const workWithinMs = 240_000
const small = { width: 64, height: 64 }
const packId = 'example/portraits.txt'

/** Queues one prompt of an example pack. @returns the job's number */
export async function queueJob(app: AppUnderTest, images: number, steps = 2): Promise<number> {
  const body = { packId, prompts: [0], images, settings: { ...small, steps } }
  const { jobIds } = await app.post<{ jobIds: number[] }>('/api/queue', body)
  return z.tuple([z.int()]).parse(jobIds)[0]
}

export function queueIsDone(app: AppUnderTest): Promise<Queue> {
  return waitFor(
    async () => {
      const queue = await app.get<Queue>('/api/queue')
      return queue.running.length + queue.pendingTotal === 0 && queue
    },
    'the end of the queue',
    { ms: workWithinMs, everyMs: 25 },
  )
}

/**
 * Waits until an image is really being made.
 * @throws Error where the work was over before anything of it was seen
 */
export async function imageIsMade(app: AppUnderTest): Promise<void> {
  const seen = await waitFor(
    async () => {
      const { progress, ended } = await app.get<Queue>('/api/queue')
      if (progress.some(({ fraction, imageIndex }) => fraction > 0 || imageIndex > 0)) return 'made'
      return ended.length > 0 && 'ended'
    },
    'an image that is being made',
    { ms: workWithinMs, everyMs: 10 },
  )
  must(seen === 'made', 'the job ended before it could be interrupted: this backend is too quick for the scenario')
}

/** Waits until a job is in this state. */
export function jobIs(app: AppUnderTest, id: number, state: JobState): Promise<Job> {
  return waitFor(
    async () => {
      const { running, pending, ended } = await app.get<Queue>('/api/queue')
      return [...running, ...pending, ...ended].find((job) => job.id === id && job.state === state)
    },
    `job ${id} ${state}`,
    { ms: workWithinMs, everyMs: 25 },
  )
}

const registrySchema = z.object({ processes: z.array(z.object({ leader: z.object({ pid: z.int() }).optional() })) })

/** The backend's own process, by the app's registry; undefined where none runs. */
export function backendPid({ dataDir }: AppUnderTest): number | undefined {
  const text = readFileSync(join(dataDir, 'process_registry.json'), 'utf8')
  return registrySchema.parse(JSON.parse(text)).processes.at(-1)?.leader?.pid
}

/** @throws Error with `what` where it is not so */
export function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}
