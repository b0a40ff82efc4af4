import { type SeededRandom, seededRandom } from '../helpers/seeded-random.ts'

/** A `launcher` is a bare parent, a `shell` the window's process; `web page`: what the window shows crashes. */
export const victims = [
  'shell',
  'web page',
  'sidecar',
  'guard',
  'guard helper',
  'backend',
  'worker',
  'launcher',
  'sidecar and guard',
] as const
export type Victim = (typeof victims)[number]

export const levels = ['namespace', 'shim', 'group'] as const
export type Level = (typeof levels)[number]

/** When the kill comes: so long after something that was seen. */
export interface Moment {
  readonly after: 'queued' | 'backend' | 'image'
  /** Which file in the images folder; where `after` is `image`. */
  readonly image: number
  readonly delayMs: number
}

/** One run, wholly decided before it begins. */
export interface ChaosPlan {
  readonly victim: Victim
  readonly level: Level
  readonly moment: Moment
  readonly workers: number
  /** Engine and workers ignore SIGTERM and outlive each other. */
  readonly stubborn: boolean
  readonly stepMs: number
  readonly imagesEach: number
  readonly firstSeed: number
}

export const jobCount = 10
const longestQueueMs = 1500

/** Whether the run needs a window around the sidecar. */
export const hasWindow = (victim: Victim): boolean => victim === 'shell' || victim === 'web page'

/** The same for the same seed and number, whatever the other runs were. */
export function planRun(seed: number, run: number): ChaosPlan {
  const random = seededRandom(seed * 1009 + run)
  const victim = random.pick(victims)
  return {
    victim,
    // Only a Linux namespace has a process between sidecar and guard.
    level: victim === 'guard helper' ? 'namespace' : random.pick(levels),
    moment: momentFor(victim, random),
    workers: victim === 'worker' ? random.whole(1, 3) : random.pick([0, 0, 1, 2]),
    stubborn: random.next() < 0.05,
    stepMs: random.whole(5, 15),
    imagesEach: random.pick([1, 1, 2]),
    firstSeed: random.whole(0, 2 ** 31),
  }
}

function momentFor(victim: Victim, random: SeededRandom): Moment {
  const early = victim === 'sidecar' || victim === 'launcher' || hasWindow(victim)
  const after = random.pick(early ? (['queued', 'backend', 'image'] as const) : (['backend', 'image'] as const))
  // Right after a file has come, its row is being written: the moment at which most could go wrong.
  const delayMs = after === 'image' ? random.whole(0, 8) : random.whole(0, longestQueueMs)
  return { after, image: random.whole(1, jobCount - 1), delayMs }
}
