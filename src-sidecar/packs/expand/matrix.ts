import type { MatrixMode } from '../../contract/pack.ts'
import { shuffledIndex } from './seeded-choice.ts'

export interface MatrixSlot {
  readonly name: string
  readonly values: readonly string[]
}

export interface Matrix {
  readonly mode: MatrixMode
  /** At most so many combinations of a prompt; 0: all. `sequential` and `rotate` go round among the first so many. */
  readonly limit: number
  readonly slots: readonly MatrixSlot[]
  readonly basePrompt?: BasePrompt | undefined
}

/** A prompt that the matrix brings along: in place of each positive prompt of the pack, before it, or after it. */
export interface BasePrompt {
  readonly mode: 'replace' | 'prepend' | 'append'
  readonly text: string
}

/** The positive prompt with the base prompt; one that has it there already stays as it is. */
export function withBasePrompt(prompt: string, base: BasePrompt | undefined): string {
  if (base === undefined) return prompt
  const [own, other] = [prompt.trim().toLowerCase(), base.text.trim().toLowerCase()]
  if (base.mode === 'replace' || own === '') return base.text
  if (base.mode === 'prepend') return own.startsWith(other) ? prompt : `${base.text}, ${prompt}`
  return own.endsWith(other) ? prompt : `${prompt}, ${base.text}`
}

/** Slots of one name become one, each value once; a slot without values is none. */
export function usableSlots(slots: readonly MatrixSlot[]): MatrixSlot[] {
  const values = new Map<string, Set<string>>()
  for (const slot of slots) {
    const known = values.get(slot.name) ?? new Set()
    for (const value of slot.values) known.add(value)
    values.set(slot.name, known)
  }
  return [...values].filter(([, all]) => all.size > 0).map(([name, all]) => ({ name, values: [...all] }))
}

/** Exact, however many; nothing is built. */
export const combinationCount = (slots: readonly MatrixSlot[]): bigint =>
  slots.reduce((count, { values }) => count * BigInt(values.length), 1n)

/** The combination at `index`, below `combinationCount`; the last slot changes fastest. */
export function combinationAt(slots: readonly MatrixSlot[], index: bigint): Map<string, string> {
  const chosen: [string, string][] = []
  let rest = index
  for (const { name, values } of slots.toReversed()) {
    const count = BigInt(values.length)
    chosen.push([name, values[Number(rest % count)]!])
    rest /= count
  }
  return new Map(chosen.reverse())
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

const withinLimit = (count: bigint, limit: number): bigint => (limit > 0 ? least(count, BigInt(limit)) : count)

/** How many of `count` combinations a prompt gets. */
export const combinationsGiven = ({ mode, limit }: Matrix, count: bigint): bigint =>
  mode === 'fanout' || mode === 'random' ? withinLimit(count, limit) : 1n

export interface Turn {
  /** Which of those that the prompt gets. */
  readonly nth: bigint
  readonly promptIndex: number
  readonly jobIndex: bigint
  readonly seed: number
}

/** Index of the combination whose turn it is, of `count`. */
export function combinationForTurn({ mode, limit }: Matrix, count: bigint, turn: Turn): bigint {
  switch (mode) {
    case 'fanout':
      return turn.nth
    case 'sequential':
      return BigInt(turn.promptIndex) % withinLimit(count, limit)
    case 'rotate':
      return turn.jobIndex % withinLimit(count, limit)
    case 'random':
      return shuffledIndex(turn.nth, count, `${turn.seed}:matrix:${turn.promptIndex}`)
  }
}
