import type { CloseName } from '../contract/selftest.ts'
import { possibleCloses } from './closes.ts'
import { faultScenarios } from './fault-scenarios.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'

export interface SelftestOptions {
  readonly repeat: number
  /** Seconds after the end. */
  readonly watchS: number
  /** `rotate` goes through all of them over the repeats; `each` is the cross. */
  readonly close: CloseName | 'rotate' | 'each'
  readonly faults: boolean
  /** Only these; empty for all. */
  readonly only: readonly string[]
  /** Starts, works and stops in one process; 0 leaves them out. */
  readonly cycles: number
}

export interface PlannedRun {
  readonly id: string
  readonly title: string
  /** From 1. */
  readonly repeat: number
  readonly close: CloseName | null
}

export const cyclesId = 'M'
export const cyclesTitle = 'start, work and stop again and again in one process'

/** Scenarios by number, title and what they prove; for `--list`. */
export const allScenarios: readonly Pick<Scenario, 'id' | 'title' | 'proves'>[] = [
  ...scenarios,
  { id: cyclesId, title: cyclesTitle, proves: 'memory' },
  ...faultScenarios,
]

/** Every run in the order in which they are done. Names in `only` that are no scenario are the caller's to refuse. */
export function planRuns({ repeat, close, faults, only, cycles }: SelftestOptions): PlannedRun[] {
  const wanted = ({ id }: { id: string }): boolean => only.length === 0 || only.includes(id)
  const chosen = [...scenarios, ...(faults || only.length > 0 ? faultScenarios : [])].filter(wanted)
  const planned = chosen.flatMap((scenario, index) => {
    const possible = possibleFor(scenario)
    // A way that this scenario does not have is replaced by the ways that it has.
    const ways: readonly (CloseName | null)[] =
      close === 'each' || possible[0] === null ? possible : close === 'rotate' || !possible.includes(close) ? [] : [close]
    const turns = Array.from({ length: repeat }, (_, turn) => turn)
    return turns.flatMap((turn) => {
      const these = ways.length > 0 ? ways : [possible[(index + turn) % possible.length] ?? null]
      return these.map((way) => ({ id: scenario.id, title: scenario.title, close: way }))
    })
  })
  const all = cycles > 0 && wanted({ id: cyclesId }) ? [...planned, { id: cyclesId, title: cyclesTitle, close: null }] : planned
  const counts = new Map<string, number>()
  return all.map((run) => {
    counts.set(run.id, (counts.get(run.id) ?? 0) + 1)
    return { ...run, repeat: counts.get(run.id) ?? 1 }
  })
}

function possibleFor({ closes }: Scenario): readonly (CloseName | null)[] {
  if (closes === 'none') return [null]
  return possibleCloses.filter((name) => closes === undefined || closes.includes(name))
}
