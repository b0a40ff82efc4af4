import { describe, expect, it } from 'vitest'
import type { Diagnostics, ProcessRow, Sample } from '../../src-sidecar/contract/diagnostics.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { diagnosticsReport } from '../../src-ui/state/diagnostics-report.ts'
import { treeOf } from '../../src-ui/state/process-tree.ts'
import { timelineOf } from '../../src-ui/state/shutdown-timeline.ts'

const row = (pid: number, parentPid: number): ProcessRow => ({
  pid,
  parentPid,
  name: 'node',
  state: 'S',
  threads: 1,
  rssBytes: 1,
  cpuMs: 0,
  part: 'member',
  role: null,
  containment: null,
})

describe('the process tree', () => {
  it('puts each process right below its parent, whatever their order was', () => {
    const rows = [row(10, 1), row(11, 10), row(12, 10), row(14, 12), row(13, 11)]
    expect(treeOf(rows).map(({ pid, depth }) => [pid, depth])).toEqual([
      [10, 0],
      [11, 1],
      [13, 2],
      [12, 1],
      [14, 2],
    ])
  })
})

describe('the timeline of a shutdown', () => {
  it('places phases one after another and the steps of one phase side by side', () => {
    const steps = [
      { phase: 'intake', name: 'a', ms: 10, error: null },
      { phase: 'intake', name: 'b', ms: 30, error: null },
      { phase: 'jobs', name: 'c', ms: 5, error: 'late' },
    ]
    const timeline = timelineOf({ steps })
    expect(timeline.ms).toBe(35)
    expect(timeline.steps.map(({ name, fromMs }) => [name, fromMs])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 30],
    ])
  })
})

describe('the report', () => {
  const app = {
    rssBytes: 1,
    heapUsedBytes: 1,
    externalBytes: 1,
    handles: 1,
    descriptors: 1,
    threads: 1,
    delayMeanMs: 0,
    delayMaxMs: 0,
  }
  const samples = Array.from({ length: 100 }, (_, atMs): Sample => ({ atMs, app, backends: [] }))
  const status = {
    version: '1.2.3',
    runId: 'run',
    shell: 'none',
    system: { node: 'v24', platform: 'linux x64' },
    dataFolder: '/home/somebody/data',
    packsFolder: '/home/somebody/packs',
    imagesFolder: '/home/somebody/images',
    logFile: '/home/somebody/log',
    backends: [
      {
        id: 'my-secret',
        kind: 'sdapi',
        name: 'WebUI at secret.example',
        state: 'failed',
        problem: { code: 'timeout', message: 'token=abc' },
        capabilities: null,
      },
    ],
    containment: { level: 'shim', reasons: [] },
    closing: null,
    storage: null,
    notices: ['a pack with a prompt'],
    lastShutdown: null,
  } satisfies Status
  const diagnostics: Diagnostics = {
    everyMs: 2000,
    sampleMs: 1,
    samples: [],
    leaks: [],
    recycled: [],
    processes: [row(1, 0)],
    threads: [{ kind: 'loop', name: 'diagnostics', purpose: 'p', startedAtMs: 1 }],
    handles: { Timeout: 1 },
    keptAwake: { state: 'off', why: null },
  }

  it('has what a bug report needs, and the latest samples only', () => {
    const report = JSON.parse(diagnosticsReport(status, diagnostics, samples))
    expect(report).toMatchObject({ version: '1.2.3', system: { node: 'v24' }, containment: { level: 'shim' }, leaks: [] })
    expect(report.samples).toHaveLength(30)
    expect(report.samples.at(-1).atMs).toBe(99)
  })

  it('tells nobody folders, hosts, notices or messages', () => {
    expect(diagnosticsReport(status, diagnostics, samples)).not.toMatch(/somebody|secret|prompt|token/)
  })
})
