import type { Leak, Sample } from '../contract/diagnostics.ts'
import { type Growth, judgeGrowth, longestWindowMs, type Reading } from './judge-growth.ts'

/** A longer pause between two samples: the machine slept or its clock was set, and what came before says nothing. */
const gapMs = 15_000

interface Subject {
  readonly subject: Leak['subject']
  readonly id: string
  readings: Reading[]
  /** When it was seen first, or anew. */
  sinceMs: number
  leak: Leak | undefined
  checking: boolean
}

/** Judges the app and each backend by their samples. */
export class LeakWatch {
  readonly #nameOf: (id: string) => string
  readonly #onLeak: (leak: Leak) => void
  readonly #isHeld: (growth: Growth) => Promise<boolean>
  #subjects = new Map<string, Subject>()

  /**
   * @param isHeld of the app: whether what has grown is more than garbage; asked when its growth is suspicious
   * @param onLeak is told once of each
   */
  constructor(nameOf: (id: string) => string, isHeld: (growth: Growth) => Promise<boolean>, onLeak: (leak: Leak) => void) {
    this.#nameOf = nameOf
    this.#isHeld = isHeld
    this.#onLeak = onLeak
  }

  /** What was found and still runs, as it was when it was found. */
  get leaks(): Leak[] {
    return [...this.#subjects.values()].flatMap(({ leak }) => leak ?? [])
  }

  /** @param sample a new one, later than the others */
  take({ atMs, app, backends }: Sample): void {
    this.#read('app', '', { atMs, bytes: app.rssBytes })
    for (const { id, rssBytes } of backends) this.#read('backend', id, { atMs, bytes: rssBytes })
    const there = new Set(['', ...backends.map(({ id }) => id)])
    for (const id of this.#subjects.keys()) if (!there.has(id)) this.#subjects.delete(id)
  }

  #read(subject: Leak['subject'], id: string, reading: Reading): void {
    const known = this.#subjects.get(id) ?? { subject, id, readings: [], sinceMs: reading.atMs, leak: undefined, checking: false }
    this.#subjects.set(id, known)
    const pauseMs = reading.atMs - (known.readings.at(-1)?.atMs ?? 0)
    if (pauseMs > gapMs || pauseMs <= 0) begin(known, reading)
    // Twice the longest window: what was before it counts too.
    known.readings = [...known.readings.filter(({ atMs }) => reading.atMs - atMs <= 2 * longestWindowMs), reading]
    if (known.leak !== undefined || known.checking) return
    const growth = judgeGrowth(known.readings, known.sinceMs)
    if (growth === null) return
    if (subject === 'backend') this.#found(known, growth, reading)
    else void this.#check(known, growth, reading)
  }

  async #check(known: Subject, growth: Growth, reading: Reading): Promise<void> {
    known.checking = true
    if (await this.#isHeld(growth)) this.#found(known, growth, reading)
    else begin(known, reading)
    known.checking = false
  }

  #found(known: Subject, growth: Growth, { atMs, bytes }: Reading): void {
    const { subject, id } = known
    known.leak = {
      subject,
      id,
      name: this.#nameOf(known.id),
      kbPerS: Math.round(growth.kbPerS),
      lowKbPerS: Math.round(growth.lowKbPerS),
      highKbPerS: Math.round(growth.highKbPerS),
      windowMs: growth.windowMs,
      rssBytes: bytes,
      atMs,
    }
    this.#onLeak(known.leak)
  }
}

function begin(subject: Subject, { atMs }: Reading): void {
  subject.readings = []
  subject.sinceMs = atMs
}
