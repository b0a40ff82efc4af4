import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from '../config/program-path.ts'
import type { Queue } from '../contract/job.ts'
import { waitFor } from '../lifecycle/wait-for.ts'
import { spawnObserved } from '../processes/spawn-observed.ts'
import type { Scenario } from './scenario.ts'
import { backendPid, imageIsMade, jobIs, must, queueIsDone, queueJob } from './steps.ts'

const faultWithinMs = 30_000
const forcedWithinMs = 30_500
const slow = '--step-ms 100'

const goesOn: Scenario['next'] = async ({ app }) => {
  const { ended } = await queueIsDone(app)
  must(ended[0]?.state === 'completed', `the job is ${ended[0]?.state ?? 'lost'} after the next launch`)
}

/** A file system of one page around the images: the first picture does not fit. */
async function tinyDisk(dataDir: string): Promise<readonly string[] | string> {
  if (process.platform !== 'linux') return 'a disk that is full can only be made on Linux'
  const images = join(dataDir, 'images')
  mkdirSync(images, { recursive: true })
  const own = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c']
  const mount = (then: string) => [...own, `mount -t tmpfs -o size=4k tmpfs "$0" && ${then}`, images] as const
  const [file, ...args] = mount('exit 0')
  const tried = await spawnObserved(file ?? '', args, { env: {} }).then(
    ({ exited }) => exited,
    () => undefined,
  )
  return tried?.code === 0 ? mount('exec "$@"') : 'this system does not let us mount a full disk (unshare, user namespaces)'
}

/** What goes wrong with backends, machines and ourselves. */
export const faultScenarios: readonly Scenario[] = [
  {
    id: 'F1',
    title: 'backend and workers ignore SIGTERM',
    proves: 'SIGKILL after the grace',
    draftArgs: '--ignore-term --workers 2',
    images: 1,
    ownBackend: true,
    async act({ app }) {
      await queueJob(app, 1)
      await queueIsDone(app)
    },
  },
  {
    id: 'F2',
    title: 'backend leaves a daemon',
    proves: 'what leaves session and parent ends too',
    draftArgs: '--daemon',
    images: 1,
    ownBackend: true,
    async act({ app, tree }) {
      await queueJob(app, 1)
      await queueIsDone(app)
      must(tree.look().figures.processes >= 4, 'the daemon did not come up')
    },
  },
  {
    id: 'F3',
    title: 'backend is stopped (SIGSTOP)',
    proves: 'a backend that answers nothing',
    draftArgs: slow,
    images: 1,
    ownBackend: true,
    prefix: async () => (process.platform === 'win32' ? 'there is no SIGSTOP on Windows' : []),
    // Ten seconds for the image that will never be done.
    exitWithinMs: 25_000,
    async act({ app, tree }) {
      await queueJob(app, 1, 10)
      await imageIsMade(app)
      const pid = backendPid(app)
      must(pid !== undefined && tree.signal(pid, 'SIGSTOP'), 'the backend could not be stopped')
    },
    next: goesOn,
  },
  {
    id: 'F4',
    title: 'backend crashes at 50 % of every image',
    proves: 'a job that takes its backend down is kept out',
    draftArgs: '--crash-at 50',
    images: 0,
    ownBackend: true,
    async act({ app }) {
      await jobIs(app, await queueJob(app, 1, 4), 'quarantined')
    },
  },
  {
    id: 'F5',
    title: 'the app’s event loop hangs for 60 s',
    proves: 'forced exit at 30 s',
    draftArgs: slow,
    images: 1,
    ownBackend: true,
    closes: ['stdin-eof'],
    verdict: 'forced',
    exitWithinMs: forcedWithinMs,
    fault: programPath('blocked-loop'),
    async act({ app }) {
      await queueJob(app, 1, 10)
      await imageIsMade(app)
      writeFileSync(join(app.dataDir, 'block-now'), '')
      await waitFor(() => app.lastLines.includes('blocked'), 'the event loop to hang', { ms: faultWithinMs })
    },
    next: goesOn,
  },
  {
    id: 'F6',
    title: 'disk full while saving',
    proves: 'no image is lost',
    draftArgs: '',
    images: 1,
    ownBackend: false,
    closes: ['exit-button', 'sigterm', 'stdin-eof'],
    prefix: tinyDisk,
    async act({ app }) {
      await queueJob(app, 1)
      const ofDisk = async () => (await app.get<Queue>('/api/queue')).pending.some(({ problem }) => problem?.code === 'disk')
      await waitFor(ofDisk, 'the queue to say that the disk is full', { ms: faultWithinMs, everyMs: 25 })
    },
    next: goesOn,
  },
  {
    id: 'F7',
    title: 'SIGKILL of the app in the middle of a job',
    proves: 'nothing survives, and the next launch goes on',
    draftArgs: `${slow} --workers 2`,
    images: 2,
    ownBackend: true,
    closes: 'none',
    verdict: 'none',
    async act({ app }) {
      await queueJob(app, 2, 8)
      await imageIsMade(app)
      app.signal('SIGKILL')
    },
    next: goesOn,
  },
]
