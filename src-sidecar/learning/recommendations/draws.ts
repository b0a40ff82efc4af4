import { seededNumbers } from '../../packs/expand/seeded-choice.ts'

/** Random numbers that are the same for the same seed, so that a recommendation does not change while it is looked at. */
export interface Draws {
  /** 0 up to, not including, 1. */
  uniform(): number
  /** Standard normal: the polar method of Marsaglia & Bray 1964. */
  normal(): number
  /** Gamma with rate 1, `shape` ≥ 1: Marsaglia & Tsang 2000. */
  gamma(shape: number): number
}

export function seededDraws(seed: string): Draws {
  const uniform = seededNumbers(seed)
  let spare: number | undefined
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    for (;;) {
      const [u, v] = [2 * uniform() - 1, 2 * uniform() - 1]
      const square = u * u + v * v
      if (square >= 1 || square === 0) continue
      const factor = Math.sqrt((-2 * Math.log(square)) / square)
      spare = v * factor
      return u * factor
    }
  }
  const gamma = (shape: number): number => {
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }
  return { uniform, normal, gamma }
}
