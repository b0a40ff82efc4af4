import type { JobTime } from '../contract/job.ts'

/** A backend, and when it has made what it is making. */
export interface BusyLane {
  readonly id: string
  freeInMs: number
}

/** Work that any of `cost`'s backends may do. */
export interface SharedWork {
  readonly load: number
  /** Milliseconds for a unit of load, by backend; one that may not do it, or of which nothing is known, is not in it. */
  readonly cost: ReadonlyMap<string, number>
}

/** Takes the work on, split so that all who may do it are done at the same time: a queue of many jobs comes close to that. */
export function pour({ load, cost }: SharedWork, lanes: readonly BusyLane[]): void {
  const able = lanes.filter(({ id }) => cost.has(id)).sort((a, b) => a.freeInMs - b.freeInMs)
  if (able.length === 0) return
  const speed = (lane: BusyLane) => 1 / cost.get(lane.id)!
  let level = able[0]!.freeInMs
  let left = load
  let together = 0
  for (const [index, lane] of able.entries()) {
    together += speed(lane)
    const next = able[index + 1]?.freeInMs ?? Number.POSITIVE_INFINITY
    const fits = (next - level) * together
    if (fits >= left) {
      level += left / together
      break
    }
    left -= fits
    level = next
  }
  for (const lane of able) lane.freeInMs = Math.max(lane.freeInMs, level)
}

/** Each job in turn goes to the backend that would be done with it first, as the queue will have it more or less. */
export function schedule(jobs: readonly SharedWork[], lanes: readonly BusyLane[]): JobTime[] {
  return jobs.map(({ load, cost }) => {
    let best: { lane: BusyLane; workMs: number } | undefined
    for (const lane of lanes) {
      const each = cost.get(lane.id)
      if (each === undefined) continue
      const workMs = load * each
      // A free backend takes what is next, even where another one would be quicker.
      if (best === undefined || lane.freeInMs < best.lane.freeInMs) best = { lane, workMs }
    }
    if (best === undefined) return { workMs: null, endsInMs: null }
    best.lane.freeInMs += best.workMs
    return { workMs: Math.round(best.workMs), endsInMs: Math.round(best.lane.freeInMs) }
  })
}
