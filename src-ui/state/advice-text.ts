import { fewestBlocks, type Recommendation } from '../../src-sidecar/contract/learning.ts'
import { valueText } from './experiment-values.ts'
import { count } from './format.ts'

const chips = { best: 'Found', 'no-difference': 'No difference', 'not-enough': 'Not enough data' } as const
/** The smallest difference that matters. */
const margins = { stars: 'half a star or more', pairs: 'more than 62 wins in 100' } as const

/** What a recommendation says, no more than it knows. */
export function adviceText(recommendation: Recommendation): { chip: string; says: string } {
  const { verdict, best, values, blocks, review } = recommendation
  const chip = chips[verdict]
  if (verdict === 'no-difference')
    return { chip, says: `It does not matter which of these you take: none is better than another by ${margins[review]}.` }
  const leader = values.find(({ value }) => value === best)
  if (best === null || !leader || blocks < fewestBlocks)
    return { chip, says: `${count(blocks, 'comparison')} so far; at least ${fewestBlocks} are needed, better twenty.` }
  const others = values.filter(({ value }) => value !== best)
  const worse = others.filter(({ chance }) => chance < 0.1).map(({ value }) => valueText(value))
  if (verdict === 'not-enough')
    return { chip, says: `${valueText(best)} leads so far, but that may be chance. Judge more images to be sure.` }
  const between = (low: number, high: number) =>
    others.filter(({ chance }) => chance >= low && chance < high).map(({ value }) => valueText(value))
  const list = (title: string, names: readonly string[]) => (names.length ? ` ${title}: ${names.join(', ')}.` : '')
  const rest = list('About as good', between(0.5, 2)) + list('Not settled', between(0.1, 0.5))
  const sure = Math.min(99, Math.round(leader.chance * 100))
  return {
    chip,
    says: `${valueText(best)} did best, and ${worse.join(', ')} worse.${rest} With ${sure}% certainty no other is better by ${margins[review]}.`,
  }
}

/** What it comes from, and what to bear in mind. */
export function basisText({ blocks, prompts, fromExperiments, fromGallery }: Recommendation): string {
  const from = [
    fromExperiments ? `${count(fromExperiments, 'judgement')} in experiments` : '',
    fromGallery ? `${count(fromGallery, 'rating')} in the gallery, which were not blind` : '',
  ]
  const caution = prompts === 1 ? ' With other prompts it may be different.' : ''
  return `From ${count(blocks, 'comparison')} of like with like, ${count(prompts, 'prompt')}: ${from.filter(Boolean).join(' and ')}.${caution}`
}
