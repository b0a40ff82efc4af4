/** Chance that a seed repeats. */
export interface SeededRandom {
  /** 0 up to, not including, 1. */
  next(): number
  /** Both ends included. */
  whole(min: number, max: number): number
  pick<T>(list: readonly T[]): T
  /** `count` different ones. */
  some<T>(list: readonly T[], count: number): T[]
}

/** mulberry32 */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    whole,
    pick: (list) => list[whole(0, list.length - 1)]!,
    some(list, count) {
      const left = [...list]
      return Array.from({ length: count }, () => left.splice(whole(0, left.length - 1), 1)[0]!)
    },
  }
}

export const randomSeed = (): number => Math.floor(Math.random() * 2 ** 31)
