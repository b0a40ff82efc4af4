import type { FacetName, ImageSearch, ImageSort } from '../../src-sidecar/contract/image-search.ts'

export const facetTitles: Readonly<Record<FacetName, string>> = {
  model: 'Checkpoint',
  lora: 'LoRA',
  sampler: 'Sampler',
  size: 'Size',
  pack: 'Pack',
  row: 'Prompt row',
  slot: 'Slot',
  wildcard: 'Wildcard',
  sweep: 'Sweep',
  rating: 'Rating',
  tag: 'Tag',
  backend: 'Backend',
  stage: 'Stage',
  duration: 'Took',
  file: 'File',
}

export const sortNames: readonly { value: ImageSort; name: string }[] = [
  { value: 'newest', name: 'Newest' },
  { value: 'oldest', name: 'Oldest' },
  { value: 'rating', name: 'Best rated' },
  { value: 'largest', name: 'Largest' },
  { value: 'longest', name: 'Took longest' },
]

/** A value of a facet as people say it. */
export function valueText(name: FacetName, value: string): string {
  if (name === 'rating') return value === '0' ? 'Not rated' : '★'.repeat(Number(value))
  return name === 'model' ? value.replace(/\.(safetensors|ckpt)\b/, '') : value
}

export interface SearchPart {
  readonly text: string
  /** The search without it. */
  readonly without: ImageSearch
}

/** What a search asks for besides its text, each with the search that is left without it. */
export function searchParts(search: ImageSearch): SearchPart[] {
  const { seed, from, to, ...rest } = search
  const days = { ...(from && { from }), ...(to && { to }) }
  const seeded = seed !== undefined && { seed }
  const values = (Object.entries(search.facets) as [FacetName, string[]][]).flatMap(([name, values]) =>
    values.map((value) => {
      const { [name]: own = [], ...others } = search.facets
      const left = own.filter((one) => one !== value)
      const without = { ...search, facets: left.length > 0 ? { ...others, [name]: left } : others }
      return { text: `${facetTitles[name]}: ${valueText(name, value)}`, without }
    }),
  )
  return [
    ...values,
    ...(seed === undefined ? [] : [{ text: `Seed: ${seed}`, without: { ...rest, ...days } }]),
    ...(from ? [{ text: `From ${from}`, without: { ...rest, ...seeded, ...(to && { to }) } }] : []),
    ...(to ? [{ text: `To ${to}`, without: { ...rest, ...seeded, ...(from && { from }) } }] : []),
  ]
}
