import type { Draws } from './draws.ts'

/**
 * How far values may differ from each other, as a multiple of a rating's own noise: from next to nothing to four times. A
 * half-Cauchy of scale 1 is the prior (Gelman 2006), here on a grid that is even in its logarithm. Where nothing differs the
 * small ones win, and every value is drawn towards the mean: this is what keeps the best of many from looking better than it is
 * (Gelman, Hill & Yajima 2012).
 */
const steps = 17
export const spreads = Array.from({ length: steps }, (_, at) => 0.02 * 200 ** (at / (steps - 1))).map((spread) => ({
  spread,
  logPrior: Math.log(spread / (1 + spread * spread)),
}))

export const drawCount = 3000

/** Draws from the fits of all spreads, each as often as the data speak for it. */
export function mixedDraws<Fit extends { readonly logWeight: number }>(
  fits: readonly Fit[],
  draws: Draws,
  drawFrom: (fit: Fit) => number[],
): number[][] {
  const highest = Math.max(...fits.map(({ logWeight }) => logWeight))
  const weights = fits.map(({ logWeight }) => Math.exp(logWeight - highest))
  let total = 0
  const upTo = weights.map((weight) => {
    total += weight
    return total
  })
  return Array.from({ length: drawCount }, () => {
    const drawn = draws.uniform() * total
    return centred(drawFrom(fits.at(upTo.findIndex((sum) => drawn < sum))!))
  })
}

/** Only differences between values are known. */
function centred(effects: readonly number[]): number[] {
  const mean = effects.reduce((sum, effect) => sum + effect, 0) / effects.length
  return effects.map((effect) => effect - mean)
}
