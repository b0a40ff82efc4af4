import { setImmediate as nextTurn } from 'node:timers/promises'

/** Cuts long work into slices, so that progress and interrupt are answered in between. */
export interface Pacer {
  /** True when the slice is used up. */
  isDue(): boolean
  /** Lets the event loop run, then begins the next slice. */
  pause(): Promise<void>
}

/** A pacer with slices of `sliceMs`. The clock decides only when to pause, never what is painted. */
export function createPacer(sliceMs = 8): Pacer {
  let begunAt = performance.now()
  return {
    isDue: () => performance.now() - begunAt > sliceMs,
    async pause() {
      await nextTurn()
      begunAt = performance.now()
    },
  }
}
