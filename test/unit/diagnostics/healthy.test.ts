import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Leak, Sample } from '../../../src-sidecar/contract/diagnostics.ts'
import { LeakWatch } from '../../../src-sidecar/diagnostics/leak-watch.ts'
import type { HealthySeries } from '../../soak/healthy.ts'

// Recorded with `npm run soak -- --record-healthy`: real sidecars and draft engines at work, a sample every two seconds.
const file = new URL('../../fixtures/healthy-series.jsonl', import.meta.url)
const all: HealthySeries[] = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const leakKbPerS = 150

/** The samples as the sidecar took them; @param lostKbPerS is added to the backend from its start on. */
const samplesOf = ({ rows }: HealthySeries, lostKbPerS = 0): Sample[] => {
  const begins = rows.find(([, , , , backend]) => backend !== null)?.[0] ?? 0
  return rows.map(([seconds, rss, heap, external, backend]) => ({
    atMs: seconds * 1000,
    app: {
      rssBytes: rss * 1024,
      heapUsedBytes: heap * 1024,
      externalBytes: external * 1024,
      handles: 1,
      descriptors: null,
      threads: null,
      delayMeanMs: 0,
      delayMaxMs: 0,
    },
    backends:
      backend === null
        ? []
        : [{ id: 'b', rssBytes: (backend + lostKbPerS * (seconds - begins)) * 1024, processes: 1, vramBytes: null }],
  }))
}

/** What is told, and how many seconds after the first sample of a backend. */
async function told(samples: readonly Sample[]): Promise<{ leaks: Leak[]; afterS: number | null }> {
  const leaks: Leak[] = []
  // Of the recorded app nobody can ask whether it is garbage: its growth counts as none, as it was found then.
  const watch = new LeakWatch(
    () => 'Draft engine',
    async () => false,
    (leak) => leaks.push(leak),
  )
  for (const sample of samples) watch.take(sample)
  const begins = samples.find(({ backends }) => backends.length > 0)?.atMs ?? 0
  return { leaks, afterS: leaks[0] === undefined ? null : (leaks[0].atMs - begins) / 1000 }
}

describe('of the recorded healthy runs', () => {
  it('there are twenty, of two minutes and more, sampled every two seconds', () => {
    expect(all).toHaveLength(20)
    for (const { rows } of all) {
      expect(rows.length).toBeGreaterThanOrEqual(70)
      expect(rows.at(-1)![0]).toBeGreaterThan(140)
    }
  })

  it.each(all.map((series) => [series.name, series] as const))('none raises an alarm: %s', async (_, series) => {
    expect((await told(samplesOf(series))).leaks).toEqual([])
  })

  // Pictures of 1536² move memory by 10 MB and more: 18 MB that are lost meanwhile are not always seen in time.
  const working = all.filter(({ name }) => !/^(idle|big images)/.test(name))
  it.each(working.map((series) => [series.name, series] as const))(
    `each would with a leak of ${leakKbPerS} KB/s, within two minutes: %s`,
    async (_, series) => {
      const { leaks, afterS } = await told(samplesOf(series, leakKbPerS))
      expect(leaks).toMatchObject([{ subject: 'backend' }])
      expect(afterS).toBeLessThan(120)
    },
  )
})
