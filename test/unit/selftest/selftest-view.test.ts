import { expect, test } from 'vitest'
import type { SelftestReport, SelftestResult, SelftestRun } from '../../../src-sidecar/contract/selftest.ts'
import { SelftestView } from '../../../src-sidecar/selftest/selftest-view.ts'

const figures = {
  exitMs: 120,
  exitCode: 0,
  emptyMs: 0,
  watchedMs: 1000,
  peakRssBytes: 250_000_000,
  rssBytes: 200_000_000,
  peakProcesses: 4,
  peakThreads: 30,
  peakDescriptors: null,
  ports: [],
}
const result: SelftestResult = { outcome: 'passed', findings: [], remarks: [], figures, steps: [] }
const run = (id: string, more: Partial<SelftestRun> = {}): SelftestRun => ({
  id,
  title: `what ${id} does`,
  repeat: 1,
  close: 'window',
  phase: 'waiting',
  result: null,
  ...more,
})

function written(rows: number, isTerminal = true): { view: SelftestView; text: () => string } {
  let text = ''
  const view = new SelftestView({ isTerminal, columns: () => 200, rows: () => rows, out: (more) => (text += more) })
  return { view, text: () => text }
}

test('in a terminal the table is drawn over itself', () => {
  const { view, text } = written(24)
  view.tell([run('T1', { phase: 'working' }), run('T2')])
  view.tell([run('T1', { phase: 'done', result }), run('T2', { phase: 'launching' })])
  expect(text().split('\x1b[2A')).toHaveLength(2)
  expect(text()).toContain('working')
  expect(text()).toContain('120 ms')
})

test('in a pipe, and in a terminal that is too low, each run is a line of its own, told once', () => {
  for (const { view, text } of [written(24, false), written(3)]) {
    view.tell([run('T1', { phase: 'working' }), run('T2'), run('T3')])
    expect(text()).toBe('')
    for (let time = 0; time < 2; time++) view.tell([run('T1', { phase: 'done', result }), run('T2'), run('T3')])
    expect(text().match(/what T1 does/g)).toHaveLength(1)
    expect(text()).not.toContain('\x1b')
  }
})

test('the end names every finding and counts what was not run', () => {
  const { view, text } = written(24, false)
  const runs = [
    run('T1', { result }),
    run('T2', { result: { ...result, outcome: 'failed', findings: ['port 7860 is still listened on'] } }),
    run('F6', { result: { ...result, outcome: 'not-run', remarks: ['needs user namespaces'] } }),
  ]
  view.end({ runs, verdict: 'failed', ms: 61_000 } as unknown as SelftestReport, '/tmp/report.json')
  expect(text()).toContain('T2 1: port 7860 is still listened on')
  expect(text()).toContain('F6 1 (remark): needs user namespaces')
  expect(text()).toContain('FAILED: 1 passed, 1 failed, 1 not run, 61 s')
})
