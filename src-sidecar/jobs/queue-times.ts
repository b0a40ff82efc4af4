import type { Job, JobTime } from '../contract/job.ts'
import { modelKey } from '../contract/model-key.ts'
import type { JobStore } from './job-store.ts'
import type { Pace } from './pace.ts'
import type { LaneWork, QueueProcessor } from './queue-processor.ts'
import { workOf } from './recipe-work.ts'
import { type BusyLane, pour, type SharedWork, schedule } from './time-left.ts'

export interface QueueTimesOptions {
  readonly store: JobStore
  readonly pace: Pace
  readonly processor: QueueProcessor
}

export interface QueueTimes {
  readonly remainingMs: number | null
  readonly working: boolean
  readonly pendingTimes: JobTime[]
}

interface Kind {
  readonly pinnedTo: string | null
  readonly modelKey: string | null
  readonly shape: string
  /** Of an image, and of all. */
  readonly imageLoad: number
  readonly load: number
}

const kindOf = ({ recipe, imagesDone, pinnedTo }: Job): Kind => {
  const { shape, load } = workOf(recipe)
  const left = Math.max(0, recipe.images - imagesDone)
  return { pinnedTo, modelKey: recipe.checkpoint ? modelKey(recipe.checkpoint) : null, shape, imageLoad: load, load: load * left }
}

/**
 * How long the queue, and each job of a page of it, will take: from what images of that kind took on the backends that may make
 * them. Only work counts, and only of backends that are there; jobs that none of these may do wait, and are not in the sum.
 * @param offset of the page's first job
 */
export function queueTimes({ store, pace, processor }: QueueTimesOptions, page: readonly Job[], offset: number): QueueTimes {
  const all = processor.work
  const there = all.filter(({ state }) => state !== 'failed')
  const lanes = there.length > 0 ? there : all
  const known = pace.known()
  const canDo = (lane: LaneWork, { pinnedTo, modelKey }: Kind) =>
    (pinnedTo ?? lane.id) === lane.id &&
    (modelKey === null ||
      lane.checkpoints?.has(modelKey) !== false ||
      !lanes.some(({ checkpoints }) => checkpoints?.has(modelKey)))
  const shared = (kind: Kind): SharedWork => {
    const costs = lanes
      .filter((lane) => canDo(lane, kind))
      .map(({ id }) => [id, known(id, kind.modelKey, kind.shape, kind.imageLoad)] as const)
    return { load: kind.load, cost: new Map(costs.flatMap(([id, cost]) => (cost === null ? [] : [[id, cost] as const]))) }
  }
  const runningMs = new Map(lanes.map((lane) => [lane.id, runningLeft(lane, store, known)]))
  const started = (): BusyLane[] => lanes.map(({ id }) => ({ id, freeInMs: runningMs.get(id) ?? 0 }))

  const work = store.pendingWork().map((kind): Kind => ({ ...kind, imageLoad: kind.load / Math.max(1, kind.images) }))
  const total = started()
  // What only one may do first, so that the others even it out.
  const kinds = work.toSorted((a, b) => Number(b.pinnedTo !== null) - Number(a.pinnedTo !== null))
  for (const kind of kinds) pour(shared(kind), total)
  const isUnknown = kinds.some((kind) => lanes.some((lane) => canDo(lane, kind)) && shared(kind).cost.size === 0)
  const busyUnknown = lanes.some(({ running }) => running.length > 0) && [...runningMs.values()].includes(null)
  const last = Math.max(0, ...total.map(({ freeInMs }) => freeInMs))

  const ahead = started()
  const loadTotal = work.reduce((sum, { load }) => sum + load, 0)
  const part = offset > 0 && loadTotal > 0 ? store.loadAhead(offset) / loadTotal : 0
  for (const kind of part > 0 ? kinds : []) pour(shared({ ...kind, load: kind.load * part }), ahead)
  return {
    remainingMs: isUnknown || busyUnknown ? null : Math.round(last),
    working: all.some(({ isWorking }) => isWorking),
    pendingTimes: schedule(
      page.map((job) => shared(kindOf(job))),
      ahead,
    ),
  }
}

/** What the lane's own jobs still need; null where nothing is known of one. */
function runningLeft({ id, running, progress }: LaneWork, store: JobStore, known: ReturnType<Pace['known']>): number | null {
  let sum = 0
  for (const jobId of running) {
    const job = store.get(jobId)
    // One that is only being saved needs the backend no more.
    if (job === undefined || progress?.jobId !== jobId) continue
    const kind = kindOf(job)
    const cost = known(id, kind.modelKey, kind.shape, kind.imageLoad)
    const perImage = cost === null ? null : kind.imageLoad * cost
    const current = progress.remainingMs ?? (perImage === null ? null : perImage * (1 - progress.fraction))
    const further = job.recipe.images - progress.imageIndex - 1
    if (current === null || (further > 0 && perImage === null)) return null
    sum += current + further * (perImage ?? 0)
  }
  return sum
}
