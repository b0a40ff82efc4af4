import type { Sweep } from '../../src-sidecar/contract/pack.ts'
import { readSweepValues } from '../../src-sidecar/contract/sweep.ts'

/** A sweep as it is typed. */
export interface TypedSweep {
  readonly key: Sweep['key']
  readonly text: string
}

/** What is wrong with it; one that is not begun is nothing yet. */
export function sweepProblem({ key, text }: TypedSweep): string | null {
  const values = text.trim() === '' ? [] : readSweepValues(key, text)
  return typeof values === 'string' ? values : null
}

/** Those that can be read. */
export function readSweeps(typed: readonly TypedSweep[]): Sweep[] {
  return typed.flatMap(({ key, text }) => {
    const values = text.trim() === '' ? '' : readSweepValues(key, text)
    return typeof values === 'string' ? [] : [{ key, values }]
  })
}
