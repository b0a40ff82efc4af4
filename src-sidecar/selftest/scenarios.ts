import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Queue } from '../contract/job.ts'
import type { Packs } from '../contract/pack.ts'
import { waitFor } from '../lifecycle/wait-for.ts'
import type { Scenario } from './scenario.ts'
import { imageIsMade, jobIs, must, queueIsDone, queueJob } from './steps.ts'

const packWithinMs = 10_000
/** App, guard, launcher, shell, engine and two workers, at least. */
const treeSize = 7
const slow = '--step-ms 100'

const resumes: Scenario['next'] = async ({ app }) => {
  const { ended } = await queueIsDone(app)
  must(ended.length === 1 && ended[0]?.state === 'completed', `the job is ${ended[0]?.state ?? 'lost'} after the next launch`)
}

/** The six test cases of the plan. */
export const scenarios: readonly Scenario[] = [
  {
    id: 'T1',
    title: 'launch, close at once',
    proves: 'baseline',
    draftArgs: '',
    images: 0,
    ownBackend: false,
    act: async () => {},
  },
  {
    id: 'T2',
    title: 'launch, load a PromptPack, close',
    proves: 'pack watcher and file handles',
    draftArgs: '',
    images: 0,
    ownBackend: false,
    async act({ app }) {
      const file = join(app.dataDir, 'packs', 'selftest.txt')
      const prompts = () =>
        app.get<Packs>('/api/packs').then(({ packs }) => packs.find(({ id }) => id === 'user/selftest.txt')?.promptCount)
      writeFileSync(file, 'a lighthouse\n')
      await waitFor(async () => (await prompts()) === 1, 'the pack in the list', { ms: packWithinMs })
      writeFileSync(file, 'a lighthouse\n\na harbour\n')
      await waitFor(async () => (await prompts()) === 2, 'the pack as it was changed on disk', { ms: packWithinMs })
    },
  },
  {
    id: 'T3',
    title: 'launch, queue a job with the queue paused, close',
    proves: 'queue; the job is there at the next launch',
    draftArgs: '',
    images: 1,
    ownBackend: false,
    async act({ app }) {
      await app.post('/api/queue/pause')
      await queueJob(app, 1)
    },
    async next({ app, tree }) {
      const { paused, pending } = await app.get<Queue>('/api/queue')
      must(paused && pending.length === 1, `after the next launch ${pending.length} jobs wait, paused: ${paused}`)
      await app.post('/api/queue/resume')
      await resumes({ app, tree })
    },
  },
  {
    id: 'T4',
    title: 'launch, run a job, close',
    proves: 'runner and backend process',
    draftArgs: '',
    images: 2,
    ownBackend: false,
    async act({ app }) {
      await queueJob(app, 2)
      await queueIsDone(app)
    },
  },
  {
    id: 'T5',
    title: 'launch, run a job, cancel it, close',
    proves: 'cancellation; the job can be taken up again',
    draftArgs: slow,
    images: 4,
    ownBackend: false,
    async act({ app }) {
      const id = await queueJob(app, 4, 8)
      await imageIsMade(app)
      await app.post(`/api/jobs/${id}/cancel`)
      await jobIs(app, id, 'cancelled')
    },
    async next({ app, tree }) {
      const [job] = (await app.get<Queue>('/api/queue')).ended
      must(job?.state === 'cancelled', `the cancelled job is ${job?.state ?? 'lost'} after the next launch`)
      await app.post(`/api/jobs/${job?.id}/retry`)
      await resumes({ app, tree })
    },
  },
  {
    id: 'T5b',
    title: 'launch, run a job, close in the middle',
    proves: 'interruption; the job goes on at the next launch',
    draftArgs: slow,
    images: 8,
    ownBackend: false,
    async act({ app }) {
      await queueJob(app, 8, 8)
      await imageIsMade(app)
    },
    next: resumes,
  },
  {
    id: 'T6',
    title: 'launch, start a backend with a tree of its own, close',
    proves: 'backend process tree',
    draftArgs: '--behind-shell --workers 2',
    images: 1,
    ownBackend: true,
    async act({ app, tree }) {
      await queueJob(app, 1)
      await queueIsDone(app)
      const { processes } = tree.look().figures
      must(processes >= treeSize, `the backend's tree did not come up: ${processes} processes in all`)
    },
  },
]
