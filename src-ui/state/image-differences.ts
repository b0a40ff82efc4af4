import type { Image } from '../../src-sidecar/contract/image.ts'
import { chosenPairs } from './chosen.ts'

export interface ImageDifference {
  readonly name: string
  readonly left: string
  readonly right: string
}

export interface DiffPart {
  readonly text: string
  /** Not in the other text. */
  readonly differs: boolean
}

const none = '—'
const text = (value: unknown): string => {
  if (value === undefined || value === null || value === '') return none
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Everything that tells two images apart but their prompts, which `wordDifferences` compares. */
export function imageDifferences(left: Image, right: Image): ImageDifference[] {
  const [a, b] = [facts(left), facts(right)]
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((name) => ({ name, left: a.get(name) ?? none, right: b.get(name) ?? none }))
    .filter((one) => one.left !== one.right)
}

function facts(image: Image): Map<string, string> {
  const { recipe } = image
  return new Map(
    [
      ['Checkpoint', image.checkpoint],
      ['VAE', recipe.vae],
      ['Sampler', recipe.samplerName],
      ['Scheduler', recipe.scheduler],
      ['Steps', recipe.steps],
      ['CFG scale', recipe.cfgScale],
      ['Clip skip', recipe.clipSkip],
      ['Seed', image.seed],
      ['Size', `${image.width} × ${image.height}`],
      ['Hires fix', recipe.hires],
      ['Refiner', recipe.refiner],
      ['ADetailer', recipe.adetailer?.map(({ model }) => model).join(', ')],
      ['Made from', recipe.source],
      ['Stages', recipe.stages?.map(({ as }) => as).join(', ')],
      ['Pack', image.packName],
      ...chosenPairs(recipe.chosen).map(({ name, value }): [string, unknown] => [name, value]),
      ['Backend', image.backend],
      ['Rating', image.rating],
      ['Tags', image.tags.join(', ')],
    ].map(([name, value]): [string, string] => [String(name), text(value)]),
  )
}

/** Both texts in parts, with the words that the other one lacks marked (longest common run of words). */
export function wordDifferences(left: string, right: string): { left: DiffPart[]; right: DiffPart[] } {
  const words = (text: string): string[] => text.match(/\s+|[^\s,]+|,/g) ?? []
  const [a, b] = [words(left), words(right)]
  // Very long prompts: word by word would take too long, and nobody reads it.
  if (a.length * b.length > 4e6)
    return { left: [{ text: left, differs: left !== right }], right: [{ text: right, differs: left !== right }] }
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
  const parts: { left: DiffPart[]; right: DiffPart[] } = { left: [], right: [] }
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      push(parts.left, a[i++]!, false)
      push(parts.right, b[j++]!, false)
    } else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!))
      push(parts.left, a[i++]!, true)
    else push(parts.right, b[j++]!, true)
  }
  return parts
}

function push(parts: DiffPart[], word: string, differs: boolean): void {
  const last = parts.at(-1)
  if (last?.differs === differs) parts[parts.length - 1] = { text: last.text + word, differs }
  else parts.push({ text: word, differs })
}
