/** Places in the shared flags (Int32). */
export const STOP = 0
export const BEAT = 1
export const CLOSING = 2
/** Whether what is watched has started; until then only its start and its end have a limit. */
export const READY = 3
const SLOT = 4
const TURN = 5
export const flagBytes = 6 * 4
export const slotBytes = 32 * 1024

/** What the thread needs of the system; loaded from a URL, as this folder imports no native calls. */
export interface NativeExit {
  /** Ends the process at once, from any thread. */
  exitNow(code: number): void
  /** Ends the process in `seconds`, should `exitNow` not be reached (a write to a dead disk). */
  exitWithin(seconds: number): void
  /** Whether the other end of stdin is closed; never waits. */
  stdinHungUp(): boolean
  /** @returns a check whether the parent, given by its number, is gone */
  watchParent(pid: number): () => boolean
  /** Tells the very process that was started then to kill its tree now. @returns whether it was sent */
  killGuard(pid: number, startTime: string): boolean
}

export interface Guard {
  readonly pid: number
  readonly startTime: string
}

/** What the main thread keeps the watching one informed of. */
export interface ForceExitNotes {
  readonly trigger: string | null
  readonly detail: string | null
  /** Running now. */
  readonly steps: readonly { readonly phase: string; readonly name: string }[]
  readonly guards: readonly Guard[]
}

export interface ForceExitSetup {
  readonly flags: SharedArrayBuffer
  readonly notes: SharedArrayBuffer
  readonly nativeUrl: string
  readonly runId: string
  readonly appVersion: string
  readonly logFile: string
  readonly reportFile: string
  readonly watchStdin: boolean
  /** Null where the parent is nobody to us. */
  readonly parentPid: number | null
  readonly tickMs: number
  readonly closingLimitMs: number
  readonly silentLimitMs: number
  readonly startLimitMs: number
  /** How often the main thread shows that it runs. */
  readonly beatMs: number
}

export const noNotes: ForceExitNotes = { trigger: null, detail: null, steps: [], guards: [] }

/**
 * Written into the slot that is not read now, which then becomes the one that is: whoever writes may stop in the middle.
 * @returns false when it is too long; the last notes stay then
 */
export function writeNotes(flags: Int32Array, shared: SharedArrayBuffer, notes: ForceExitNotes): boolean {
  const bytes = Buffer.from(JSON.stringify(notes))
  if (bytes.length > slotBytes - 4) return false
  const next = 1 - Atomics.load(flags, SLOT)
  const slot = Buffer.from(shared, next * slotBytes, slotBytes)
  slot.writeUInt32LE(bytes.length, 0)
  slot.set(bytes, 4)
  Atomics.store(flags, SLOT, next)
  Atomics.add(flags, TURN, 1)
  return true
}

/** @throws nothing: notes that can't be read are no notes */
export function readNotes(flags: Int32Array, shared: SharedArrayBuffer): ForceExitNotes {
  for (let tries = 0; tries < 10; tries++) {
    const turn = Atomics.load(flags, TURN)
    const slot = Buffer.from(shared, Atomics.load(flags, SLOT) * slotBytes, slotBytes)
    try {
      const length = slot.readUInt32LE(0)
      const notes = length === 0 ? noNotes : JSON.parse(slot.toString('utf8', 4, 4 + length))
      if (Atomics.load(flags, TURN) === turn) return notes
    } catch {
      // Overwritten while it was read: once more.
    }
  }
  return noNotes
}
