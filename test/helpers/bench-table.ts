import { cpus, loadavg, release, totalmem } from 'node:os'

/** The value below which this part of the sorted list lies (nearest rank). */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN
}

export interface BenchRow {
  readonly what: string
  /** Milliseconds, one for each run. */
  readonly values: readonly number[]
}

/** Figures mean nothing without the machine and how busy it was. */
export function machine(): string {
  const processors = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const load = loadavg().map((value) => value.toFixed(1))
  return `${processors[0]?.model ?? 'unknown'} × ${processors.length}, ${memory} GB, ${process.platform} ${release()}, Node ${process.version}, load ${load.join(' ')}`
}

/** A table with each row as a multiple of the floor's median, so that machines can be compared. */
export function table(rows: readonly BenchRow[], floor: BenchRow): string {
  const median = percentile(floor.values, 0.5)
  const head = ['', 'runs', 'p50 ms', 'p95 ms', 'max ms', 'p50 / floor', 'p95 / floor']
  const lines = [floor, ...rows].map(({ what, values }) => {
    const [p50, p95, max] = [0.5, 0.95, 1].map((part) => percentile(values, part)) as [number, number, number]
    const ratio = (value: number) => `${(value / median).toFixed(1)}×`
    return [what, String(values.length), ...[p50, p95, max].map((ms) => ms.toFixed(0)), ratio(p50), ratio(p95)]
  })
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)))
  const pad = (text: string, column: number) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))
  return all.map((line) => line.map(pad).join('  ')).join('\n')
}
