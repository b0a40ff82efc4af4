import { fileURLToPath } from 'node:url'
import type { Status } from '../../src-sidecar/contract/status.ts'
import type { StopTrigger } from '../../src-sidecar/lifecycle/component.ts'
import type { LaunchedSidecar, LaunchOptions } from './launched-sidecar.ts'
import { waitForSteps } from './sidecar.ts'
import { signalSame } from './survivors.ts'
import { waitFor } from './wait-for.ts'

/** One way to ask for the end. */
export interface EndTrigger {
  readonly name: string
  /** What the report must say. */
  readonly reported: StopTrigger
  readonly exitCode: 0 | 70
  /** How the sidecar must have been started for it. */
  readonly launch?: Pick<LaunchOptions, 'launcher' | 'nodeFlags'>
  /** It takes its time: what runs must last longer. */
  readonly slow?: true
  pull(sidecar: LaunchedSidecar): unknown
}

const faults = { nodeFlags: ['--import', fileURLToPath(new URL('./fault-on-signal.ts', import.meta.url))] }

const signal = (name: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): EndTrigger => ({
  name,
  reported: name,
  exitCode: 0,
  pull: ({ self }) => signalSame(self, name),
})

/**
 * Every trigger that needs no window. `window-close` and `shell-gone` come from the shell: whoever tests a shell makes an
 * EndTrigger of them and hands it to `checkEnding`.
 */
export const triggers: readonly EndTrigger[] = [
  {
    name: 'the Exit button',
    reported: 'exit-button',
    exitCode: 0,
    pull: ({ post }) => post('/api/shutdown', { trigger: 'exit-button' }),
  },
  { name: 'POST /api/shutdown', reported: 'api', exitCode: 0, pull: ({ post }) => post('/api/shutdown') },
  { name: 'the end of stdin', reported: 'stdin-eof', exitCode: 0, pull: ({ child }) => child.stdin?.end() },
  {
    name: 'a parent that is gone while stdin stays open',
    reported: 'parent-gone',
    exitCode: 0,
    launch: { launcher: { stdin: 'endless' } },
    pull: ({ child }) => child.kill('SIGKILL'),
  },
  signal('SIGTERM'),
  signal('SIGINT'),
  signal('SIGHUP'),
  {
    name: 'an uncaught exception',
    reported: 'uncaught-error',
    exitCode: 70,
    launch: faults,
    pull: ({ self }) => signalSame(self, 'SIGUSR2'),
  },
  {
    name: 'an unhandled rejection',
    reported: 'uncaught-error',
    exitCode: 70,
    launch: faults,
    pull: ({ self }) => signalSame(self, 'SIGPWR'),
  },
  {
    name: 'the last page closed',
    reported: 'last-page-closed',
    exitCode: 0,
    slow: true,
    async pull({ request, post }) {
      const page = await request('/api/events?page=one')
      await post('/api/pages/one/hide')
      await page.body?.cancel()
    },
  },
]

/** What a sidecar is at when it is asked to end. */
export interface EndState {
  readonly name: string
  draftArgs(slow: boolean): string
  /** Gets it there. @returns how many images there must be in the end. */
  enter(sidecar: LaunchedSidecar, slow: boolean): Promise<number>
  /** How many processes run below the sidecar then, at least. */
  readonly processes: number
}

const pack = 'example/portraits.txt'
const small = { width: 64, height: 64 }

export const states: readonly EndState[] = [
  { name: 'idle', draftArgs: () => '', processes: 0, enter: async () => 0 },
  {
    name: 'with a paused queue',
    draftArgs: () => '',
    processes: 0,
    async enter({ post, queue }) {
      await post('/api/queue/pause')
      await queue(pack, { prompts: [0, 1], settings: { ...small, steps: 2 } })
      return 2
    },
  },
  {
    name: 'with an image being made',
    draftArgs: () => '--step-ms 60',
    processes: 2,
    async enter(sidecar, slow) {
      const images = slow ? 15 : 2
      await sidecar.queue(pack, { prompts: [0, 1], images, settings: { ...small, steps: 10 } })
      await waitForSteps(sidecar)
      return 2 * images
    },
  },
  {
    name: 'while the backend starts',
    draftArgs: (slow) => `--startup-ms ${slow ? 20_000 : 8000}`,
    processes: 2,
    async enter({ get, queue }) {
      await queue(pack, { prompts: [0, 1], settings: { ...small, steps: 2 } })
      await waitFor(async () => (await get<Status>('/api/status')).backends[0]?.state === 'starting', 'the backend to start', {
        ms: 20_000,
      })
      return 2
    },
  },
]
