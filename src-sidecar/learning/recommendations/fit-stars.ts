import type { Draws } from './draws.ts'
import { cholesky, dot, logDeterminant, solveLower, solveUpper } from './linear.ts'
import { mixedDraws, spreads } from './pooling.ts'

/** A rating of 1 to 5. What is in one block differs in nothing but the value. */
export interface Rated {
  readonly block: string
  /** Index of the value. */
  readonly value: number
  readonly score: number
}

/** Prior of the noise: inverse gamma, as much as two ratings that are 0.7 stars off. */
const [priorShape, priorScale] = [1, 0.5]

/**
 * Draws from what is known about the effect of each value, in stars, around their mean.
 *
 * score = block + value + noise, all normal. Blocks have a flat prior and so drop out: what a prompt, a seed, a mood gave to all
 * of a block alike does not count. Effects are N(0, (spread·σ)²), σ² is inverse gamma; given the spread that is the conjugate
 * normal-inverse-gamma model (Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 3 and 14), and the spread is averaged over.
 */
export function fitStars(ratings: readonly Rated[], valueCount: number, draws: Draws): number[][] {
  const precision = Array.from({ length: valueCount }, () => new Array<number>(valueCount).fill(0))
  const pull = new Array<number>(valueCount).fill(0)
  let [squares, freedom] = [0, 0]
  for (const block of Map.groupBy(ratings, ({ block }) => block).values()) {
    const mean = block.reduce((sum, { score }) => sum + score, 0) / block.length
    freedom += block.length - 1
    for (const { value, score } of block) {
      squares += (score - mean) ** 2
      pull[value]! += score - mean
      precision[value]![value]! += 1
      for (const other of block) precision[value]![other.value]! -= 1 / block.length
    }
  }
  const shape = priorShape + freedom / 2
  const fits = spreads.map(({ spread, logPrior }) => {
    const tie = 1 / spread ** 2
    const lower = cholesky(precision.map((row, i) => row.with(i, row[i]! + tie)))
    const mean = solveUpper(lower, solveLower(lower, pull))
    const scale = priorScale + (squares - dot(pull, mean)) / 2
    const logWeight = logPrior + (valueCount * Math.log(tie) - logDeterminant(lower)) / 2 - shape * Math.log(scale)
    return { lower, mean, scale, logWeight }
  })
  return mixedDraws(fits, draws, ({ lower, mean, scale }) => {
    const noise = Math.sqrt(scale / draws.gamma(shape))
    const off = solveUpper(
      lower,
      mean.map(() => draws.normal()),
    )
    return mean.map((one, i) => one + noise * off[i]!)
  })
}
