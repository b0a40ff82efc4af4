import type { Image } from '../../contract/image.ts'
import { durationRanges, type FacetName, rowValue } from '../../contract/image-search.ts'
import { stageNames } from '../../contract/stages.ts'

/** `took` is for sorting only: seconds to two digits. */
export type TermName = FacetName | 'took'

/** The letter that a term of this facet begins with. */
export const termLetters: Readonly<Record<TermName, string>> = {
  model: 'm',
  lora: 'l',
  sampler: 'a',
  size: 'w',
  pack: 'p',
  row: 'o',
  slot: 'v',
  wildcard: 'c',
  sweep: 'e',
  rating: 'r',
  tag: 'k',
  backend: 'b',
  stage: 'g',
  duration: 'd',
  file: 'f',
  took: 't',
}

/** The first of Unicode's supplementary private use area A, and how many there are. */
const firstMark = 0xf0000
const marks = 0xfffe
/** What every image has: something to take exclusions from. */
export const everyWord = '\ue000'
export const noWord = '\ue001'

/**
 * A value as a word of the text index: one character of Unicode's private use, which the tokenizer keeps as a letter and which no
 * prompt can hold, as `searchableText` takes them out. Words of one character are in no prefix index, which keeps that small.
 * @param id in facet_values
 */
export const termWord = (id: number): string => (id < marks ? String.fromCodePoint(firstMark + id) : `\ue002${id.toString(36)}`)

/**
 * A text for the text index. Chinese and Japanese are written without spaces, which the tokenizer needs: each of their
 * characters becomes a word.
 */
export const searchableText = (text: string): string =>
  text.replaceAll(/[\p{Co}\p{Cc}]/gu, ' ').replaceAll(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu, ' $& ')

/** Its words as the tokenizer of the text index makes them (unicode61, without diacritics). */
export const wordsOf = (text: string): string[] =>
  searchableText(text)
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

/** Everything that this image can be found by besides its words. */
export function facetsOf(image: Image): [TermName, string][] {
  const { recipe } = image
  const { slots = {}, wildcards = {}, sweep = {} } = recipe.chosen ?? {}
  const chosen = (name: TermName, of: Record<string, string>): [TermName, string][] =>
    Object.entries(of).map(([key, value]) => [name, `${key}: ${value}`])
  return [
    ...(image.checkpoint ? ([['model', image.checkpoint]] satisfies [TermName, string][]) : []),
    ...lorasOf(recipe.prompt).map((name): [TermName, string] => ['lora', name]),
    ['sampler', recipe.samplerName],
    ['size', `${image.width}×${image.height}`],
    ['pack', image.packName],
    ...(image.promptIndex === null
      ? []
      : ([['row', rowValue(image.packName, image.promptIndex)]] satisfies [TermName, string][])),
    ...chosen('slot', slots),
    ...chosen('wildcard', wildcards),
    ...chosen('sweep', sweep),
    ['rating', String(image.rating ?? 0)],
    ...image.tags.map((tag): [TermName, string] => ['tag', tag]),
    ['backend', image.backend],
    ...stagesOf(image).map((name): [TermName, string] => ['stage', name]),
    // Of an imported one it is not known.
    ...(image.durationMs > 0 ? ([['duration', durationRange(image.durationMs)]] satisfies [TermName, string][]) : []),
    ['took', String(Number((image.durationMs / 1000).toPrecision(2)))],
    ...(image.missing ? ([['file', 'missing']] satisfies [TermName, string][]) : []),
  ]
}

const stagesOf = ({ recipe, stage }: Image): string[] => [
  ...new Set([
    ...stageNames(recipe).slice(0, stage + 1),
    ...(recipe.hires ? ['hires fix'] : []),
    ...(recipe.adetailer?.length ? ['adetailer'] : []),
  ]),
]

/** Names of `<lora:name:weight>`, each once. */
export const lorasOf = (prompt: string): string[] => [
  ...new Set([...prompt.matchAll(/<(?:lora|lyco):([^:>]+)/gi)].map(([, name]) => name!.trim())),
]

function durationRange(ms: number): string {
  const limits = [2000, 5000, 15_000, 60_000, 300_000]
  const index = limits.findIndex((limit) => ms < limit)
  return durationRanges[index === -1 ? limits.length : index]!
}
