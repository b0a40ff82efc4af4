import { expect, test } from 'vitest'
import { possibleCloses } from '../../../src-sidecar/selftest/closes.ts'
import { planRuns, type SelftestOptions } from '../../../src-sidecar/selftest/plan-runs.ts'

const options: SelftestOptions = { repeat: 3, watchS: 60, close: 'rotate', faults: false, only: [], cycles: 12 }
const ids = (runs: readonly { id: string }[]) => [...new Set(runs.map(({ id }) => id))]

test('each scenario is run so often, and the cycles once', () => {
  const runs = planRuns(options)
  expect(ids(runs)).toEqual(['T1', 'T2', 'T3', 'T4', 'T5', 'T5b', 'T6', 'M'])
  expect(runs).toHaveLength(7 * 3 + 1)
  expect(runs.filter(({ id }) => id === 'T4').map(({ repeat }) => repeat)).toEqual([1, 2, 3])
})

test('the ways to close rotate over the repeats, so that all of them come', () => {
  const runs = planRuns({ ...options, repeat: possibleCloses.length })
  for (const id of ['T1', 'T4', 'T6'])
    expect(new Set(runs.filter((run) => run.id === id).map(({ close }) => close))).toEqual(new Set(possibleCloses))
})

test('each is the cross of scenarios and ways to close', () => {
  const runs = planRuns({ ...options, repeat: 1, close: 'each', cycles: 0 })
  expect(runs).toHaveLength(7 * possibleCloses.length)
})

test('one way is taken for all, but where a fault has ways of its own', () => {
  const runs = planRuns({ ...options, repeat: 1, close: 'window', faults: true, cycles: 0 })
  const closeOf = (wanted: string) => runs.find(({ id }) => id === wanted)?.close
  expect(closeOf('T1')).toBe('window')
  expect(closeOf('F5')).toBe('stdin-eof')
  expect(closeOf('F7')).toBeNull()
})

test('a fault that is asked for by name is run without --faults', () => {
  expect(ids(planRuns({ ...options, only: ['F2', 'T1'] }))).toEqual(['T1', 'F2'])
})
