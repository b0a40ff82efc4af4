import { isNodesChild } from './own-children.ts'
import { readProcessStat } from './process-stat.ts'
import { type ProcessRow, readProcessTable } from './process-table.ts'
import { signalChecked } from './signal-checked.ts'
import { commandLineOf, countDescriptors, listeningPorts } from './tree-resources.ts'

// Loaded on Linux alone: elsewhere there is no libc to load it from.
const native = process.platform === 'linux' ? await import('./native-linux.ts') : undefined
const signalSame = native ? (await import('./signal-if-same.ts')).signalIfSame : signalChecked

export interface TreeFigures {
  readonly processes: number
  readonly threads: number
  /** Sum over the tree; shared pages count for each. Null where the system does not tell. */
  readonly rssBytes: number | null
  /** Null where the system does not tell. */
  readonly descriptors: number | null
}

const everyMs = 200

/**
 * Watches all that runs below this process, without registry, token or containment. On Linux this process becomes a subreaper, so that
 * nothing can leave; elsewhere whoever was seen once is followed by number and start time.
 */
export class TreeWatch {
  readonly #seen = new Map<string, ProcessRow>()
  readonly #ports = new Set<number>()
  /** What was there before we looked: on Windows the host of our own console is below us. */
  readonly #before = new Set<string>()
  #peak: TreeFigures = { processes: 0, threads: 0, rssBytes: null, descriptors: null }
  #timer: NodeJS.Timeout | undefined

  /** @throws Error when the kernel refuses */
  start(): void {
    if (native && !native.becomeSubreaper()) throw new Error('the system does not let this process adopt what others leave')
    if (!native) for (const row of readProcessTable()) this.#before.add(keyOf(row))
    this.#timer = setInterval(() => this.look(), everyMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  get peak(): TreeFigures {
    return this.#peak
  }

  /** Every port that the tree was seen to listen on. */
  get ports(): readonly number[] {
    return [...this.#ports]
  }

  /** What runs now. Takes some milliseconds. */
  look(): { rows: ProcessRow[]; figures: TreeFigures } {
    this.#reapAdopted()
    const below = readProcessTable().filter((row) => !this.#before.has(keyOf(row)))
    const known = new Set(below.map(keyOf))
    const elsewhere = native
      ? []
      : [...this.#seen.values()].filter((row) => !known.has(keyOf(row)) && readProcessStat(row.pid)?.startTime === row.startTime)
    const rows = [...below, ...elsewhere]
    for (const row of rows) this.#seen.set(keyOf(row), row)
    const figures = figuresOf(rows)
    this.#peak = {
      processes: Math.max(this.#peak.processes, figures.processes),
      threads: Math.max(this.#peak.threads, figures.threads),
      rssBytes: larger(this.#peak.rssBytes, figures.rssBytes),
      descriptors: larger(this.#peak.descriptors, figures.descriptors),
    }
    for (const port of listeningPorts(rows.map(({ pid }) => pid))) this.#ports.add(port)
    return { rows, figures }
  }

  /** Whether it is proven that nothing runs: on Linux by the kernel's word that we have no child, elsewhere by an empty look. */
  get isEmpty(): boolean {
    if (native) return this.#reapAdopted()
    return this.look().rows.length === 0
  }

  /** `node 4711 (its command line)`. */
  names(): string[] {
    const { rows } = this.look()
    const named = rows.map(({ pid, name }) => `${name} ${pid} (${commandLineOf(pid)})`)
    return named.length > 0 || this.isEmpty ? named : ['a process that no look catches: it forks and exits']
  }

  /** @returns whether a process of the tree has this number and was sent the signal */
  signal(pid: number, signal: NodeJS.Signals): boolean {
    const row = this.look().rows.find((one) => one.pid === pid)
    return row !== undefined && signalSame(row.pid, row.startTime, signal)
  }

  /** Ends what is left, by number and start time; polls until nothing is, at most `ms`. */
  async endAll(ms: number): Promise<void> {
    for (const until = performance.now() + ms; !this.isEmpty && performance.now() < until; ) {
      for (const { pid, startTime } of this.look().rows) signalSame(pid, startTime, 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Takes dead orphans away. @returns whether there is no child at all, dead or alive */
  #reapAdopted(): boolean {
    for (;;) {
      const exited = native?.peekExitedChild()
      if (exited === 'childless') return true
      if (typeof exited !== 'number' || isNodesChild(exited) || !native?.reapChild(exited)) return false
    }
  }
}

const keyOf = ({ pid, startTime }: ProcessRow): string => `${pid}@${startTime}`
const larger = (a: number | null, b: number | null): number | null => (a === null || b === null ? (a ?? b) : Math.max(a, b))

function figuresOf(rows: readonly ProcessRow[]): TreeFigures {
  const descriptors = rows.map(({ pid }) => countDescriptors(pid))
  const rssBytes = rows.reduce((sum, row) => sum + row.rssBytes, 0)
  return {
    processes: rows.length,
    threads: rows.reduce((sum, { threads }) => sum + threads, 0),
    rssBytes: rssBytes === 0 ? null : rssBytes,
    descriptors: descriptors.includes(null) ? null : descriptors.reduce((sum: number, count) => sum + (count ?? 0), 0),
  }
}
