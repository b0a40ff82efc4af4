/** The states that came before and those that were undone. Never changed in place. */
export interface UndoHistory<T> {
  readonly past: readonly T[]
  readonly future: readonly T[]
  /** What the latest change was: more of the same becomes one step. */
  readonly lastKey: string | null
}

const mostSteps = 300

export const noHistory: UndoHistory<never> = { past: [], future: [], lastKey: null }

/** @param key of typing in one field; null: always a step of its own */
export function remembered<T>(history: UndoHistory<T>, before: T, key: string | null): UndoHistory<T> {
  const goesOn = key !== null && key === history.lastKey && history.past.length > 0
  return { past: goesOn ? history.past : [...history.past.slice(-mostSteps + 1), before], future: [], lastKey: key }
}

export function undone<T>({ past, future }: UndoHistory<T>, now: T): { history: UndoHistory<T>; state: T } | null {
  const state = past.at(-1)
  return state === undefined ? null : { state, history: { past: past.slice(0, -1), future: [now, ...future], lastKey: null } }
}

export function redone<T>({ past, future }: UndoHistory<T>, now: T): { history: UndoHistory<T>; state: T } | null {
  const [state, ...rest] = future
  return state === undefined ? null : { state, history: { past: [...past, now], future: rest, lastKey: null } }
}
