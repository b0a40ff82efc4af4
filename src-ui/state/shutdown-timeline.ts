import type { LastShutdown } from '../../src-sidecar/contract/last-shutdown.ts'

export interface TimelineStep {
  readonly name: string
  readonly phase: string
  readonly ms: number
  readonly error: string | null
  /** Since the first phase. */
  readonly fromMs: number
}

/** When each step ran: phases come one after another, and the steps of one phase side by side. */
export function timelineOf({ steps }: Pick<LastShutdown, 'steps'>): { steps: TimelineStep[]; ms: number } {
  let fromMs = 0
  const placed: TimelineStep[] = []
  for (const phase of new Set(steps.map((step) => step.phase))) {
    const own = steps.filter((step) => step.phase === phase)
    for (const step of own) placed.push({ ...step, fromMs })
    fromMs += Math.max(...own.map(({ ms }) => ms))
  }
  return { steps: placed, ms: fromMs }
}
