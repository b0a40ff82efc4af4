import type { SelftestReport, SelftestRun } from '../contract/selftest.ts'

const mega = 1e6
const idWidth = 4
const closeWidth = 14
const columns = ['exit', 'empty', 'peak', 'processes', 'threads', 'handles'] as const

export interface ViewOutput {
  /** Whether lines can be drawn over. */
  readonly isTerminal: boolean
  readonly columns: () => number
  readonly rows: () => number
  out(text: string): void
}

/** The table of a selftest: live in a terminal that is high enough, else a line for each run that has ended. */
export class SelftestView {
  readonly #output: ViewOutput
  readonly #told = new Set<number>()
  #drawn = 0

  constructor(output: ViewOutput) {
    this.#output = output
  }

  begin(count: number, watchS: number): void {
    this.#output.out(`${count} runs, each watched for ${watchS} s after its end\n${header()}\n`)
  }

  tell(runs: readonly SelftestRun[]): void {
    // What has scrolled away can't be drawn over.
    if (this.#output.isTerminal && runs.length < this.#output.rows() - 1) {
      this.#draw(runs)
      return
    }
    for (const [index, run] of runs.entries()) {
      if (run.result === null || this.#told.has(index)) continue
      this.#told.add(index)
      this.#output.out(`${lineOf(run)}\n`)
    }
  }

  /** Findings and remarks, and the verdict in one line. */
  end({ runs, verdict, ms }: SelftestReport, file: string | null): void {
    this.tell(runs)
    for (const run of runs) {
      for (const finding of run.result?.findings ?? []) this.#output.out(`${run.id} ${run.repeat}: ${finding}\n`)
      for (const remark of run.result?.remarks ?? []) this.#output.out(`${run.id} ${run.repeat} (remark): ${remark}\n`)
    }
    const count = (outcome: string) => runs.filter(({ result }) => result?.outcome === outcome).length
    const parts = [`${count('passed') + count('warned')} passed`, `${count('failed')} failed`]
    if (count('warned') > 0) parts.push(`${count('warned')} of the passed with a warning`)
    if (count('not-run') > 0) parts.push(`${count('not-run')} not run`)
    this.#output.out(`${verdict.toUpperCase()}: ${parts.join(', ')}, ${(ms / 1000).toFixed(0)} s\n`)
    if (file !== null) this.#output.out(`Report: ${file}\n`)
  }

  #draw(runs: readonly SelftestRun[]): void {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''
    const width = this.#output.columns() - 1
    this.#output.out(up + runs.map((run) => `\x1b[2K${lineOf(run).slice(0, width)}\n`).join(''))
    this.#drawn = runs.length
  }
}

const header = (): string =>
  `${'run'.padEnd(idWidth + 3)}${'closed by'.padEnd(closeWidth)}${'outcome'.padEnd(12)}${columns.map((name) => name.padStart(10)).join('')}  what`

function lineOf({ id, repeat, close, phase, result, title }: SelftestRun): string {
  const figures = result?.figures
  const cells = figures
    ? [
        milliseconds(figures.exitMs),
        milliseconds(figures.emptyMs),
        figures.peakRssBytes === null ? '–' : `${(figures.peakRssBytes / mega).toFixed(0)} MB`,
        String(figures.peakProcesses),
        String(figures.peakThreads),
        String(figures.peakDescriptors ?? '–'),
      ]
    : columns.map(() => '')
  const state = result?.outcome ?? phase
  return `${`${id} ${repeat}`.padEnd(idWidth + 3)}${(close ?? '–').padEnd(closeWidth)}${state.padEnd(12)}${cells.map((cell) => cell.padStart(10)).join('')}  ${title}`
}

const milliseconds = (ms: number | null): string => (ms === null ? '–' : `${ms} ms`)
