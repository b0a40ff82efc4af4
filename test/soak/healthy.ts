// npm run soak -- --record-healthy: records what memory does where nothing leaks, for test/unit/diagnostics/healthy.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Diagnostics, Sample } from '../../src-sidecar/contract/diagnostics.ts'
import { launchSidecar } from '../helpers/launched-sidecar.ts'
import { endSurvivors, takeBaseline } from '../helpers/survivors.ts'
import { type Workload, work, workloads } from './workloads.ts'

const levels = ['auto', 'shim', 'group', 'auto'] as const
const defaultFile = fileURLToPath(new URL('../fixtures/healthy-series.jsonl', import.meta.url))

/** A recorded run; memory in KB, `backend` null as long as none ran. */
export interface HealthySeries {
  readonly name: string
  /** Seconds, app: resident, heap, external; backend: resident. */
  readonly rows: readonly (readonly [number, number, number, number, number | null])[]
}

async function record(workload: Workload, round: number, seconds: number): Promise<{ series: HealthySeries; leaks: number }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'stablenew-healthy-'))
  const level = levels[round % levels.length] ?? 'auto'
  const args = ['--containment', level, '--draft-args', `--step-ms ${workload.stepMs} --leak-kb-per-s ${values.leak}`]
  const sidecar = await launchSidecar({ dataDir, args })
  try {
    const over = new AbortController()
    const working = work(sidecar, workload, over.signal)
    await sleep(seconds * 1000)
    over.abort()
    await working
    const { samples, leaks } = await sidecar.get<Diagnostics>('/api/diagnostics')
    await sidecar.post('/api/shutdown', { now: true })
    await sidecar.ended
    const name = `${workload.name}, ${level}, round ${round + 1}`
    return { series: { name, rows: samples.map(rowOf(samples)) }, leaks: leaks.length }
  } finally {
    sidecar.child.kill('SIGKILL')
    await sidecar.ended
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

const kb = (bytes: number) => Math.round(bytes / 1024)

const rowOf =
  (samples: readonly Sample[]) =>
  ({ atMs, app, backends }: Sample): HealthySeries['rows'][number] => {
    const seconds = Math.round((atMs - (samples[0]?.atMs ?? atMs)) / 10) / 100
    const [backend] = backends
    return [seconds, kb(app.rssBytes), kb(app.heapUsedBytes), kb(app.externalBytes), backend ? kb(backend.rssBytes) : null]
  }

const { values } = parseArgs({
  options: {
    'record-healthy': { type: 'boolean' },
    rounds: { type: 'string', default: '4' },
    leak: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '150' },
    file: { type: 'string', default: defaultFile },
  },
})
const before = takeBaseline()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endSurvivors(before).finally(() => process.exit(130)))
const all: HealthySeries[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  const recorded = await Promise.all(workloads.map((workload) => record(workload, round, Number(values.seconds))))
  for (const { series, leaks } of recorded) console.log(`${series.name}: ${series.rows.length} samples, ${leaks} alarms`)
  all.push(...recorded.map(({ series }) => series))
}
await before.expectNothingLeft(10_000)
writeFileSync(values.file, all.map((series) => `${JSON.stringify(series)}\n`).join(''))
