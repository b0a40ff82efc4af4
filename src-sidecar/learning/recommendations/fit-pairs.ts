import type { Draws } from './draws.ts'
import { cholesky, dot, logDeterminant, solveLower, solveUpper } from './linear.ts'
import { mixedDraws, spreads } from './pooling.ts'

/** Two values that were compared, by index. */
export interface Compared {
  readonly a: number
  readonly b: number
  /** 1: `a` was better, 0: `b` was, ½: neither. */
  readonly won: number
}

/**
 * Draws from what is known about the strength of each value, as log odds to win, around their mean.
 *
 * Bradley & Terry 1952: P(a beats b) = 1 / (1 + exp(strength b − strength a)). "Neither" counts as half a win for both, as draws
 * do in Glickman 1999. Strengths are N(0, spread²); the mode is found by Newton's method, what is known around it is taken as
 * normal (Laplace), and the spread is averaged over.
 */
export function fitPairs(pairs: readonly Compared[], valueCount: number, draws: Draws): number[][] {
  const fits = spreads.map(({ spread, logPrior }) => {
    const { mode, lower, logPosterior } = findMode(pairs, valueCount, 1 / spread ** 2)
    return { mode, lower, logWeight: logPrior + logPosterior - valueCount * Math.log(spread) - logDeterminant(lower) / 2 }
  })
  return mixedDraws(fits, draws, ({ mode, lower }) => {
    const off = solveUpper(
      lower,
      mode.map(() => draws.normal()),
    )
    return mode.map((one, i) => one + off[i]!)
  })
}

/** The logarithm of what is to be made largest is concave, so that Newton's steps lead there; few are needed. */
function findMode(pairs: readonly Compared[], valueCount: number, tie: number) {
  let mode = new Array<number>(valueCount).fill(0)
  for (let step = 0; ; step++) {
    const slope = mode.map((strength) => -tie * strength)
    const curve = mode.map((_, i) => mode.map((_, j) => (i === j ? tie : 0)))
    let logPosterior = (-tie * dot(mode, mode)) / 2
    for (const { a, b, won } of pairs) {
      const wins = 1 / (1 + Math.exp(mode[b]! - mode[a]!))
      logPosterior += won * Math.log(wins) + (1 - won) * Math.log(1 - wins)
      slope[a]! += won - wins
      slope[b]! -= won - wins
      const weight = wins * (1 - wins)
      curve[a]![a]! += weight
      curve[b]![b]! += weight
      curve[a]![b]! -= weight
      curve[b]![a]! -= weight
    }
    const lower = cholesky(curve)
    const move = solveUpper(lower, solveLower(lower, slope))
    if (step >= 20 || move.every((by) => Math.abs(by) < 1e-6)) return { mode, lower, logPosterior }
    mode = mode.map((strength, i) => strength + Math.max(-2, Math.min(2, move[i]!)))
  }
}
