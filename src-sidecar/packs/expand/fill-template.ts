import { AppError } from '../../errors/app-error.ts'
import { didYouMean } from '../nearest-name.ts'
import type { Option, Template } from './template.ts'

/** Lists by name, without the underscores: `colour`, `people/hair`. */
export type Wildcards = ReadonlyMap<string, readonly string[]>

/** What was chosen for one job, as it stands in the prompt. */
export interface Chosen {
  readonly slots: Record<string, string>
  readonly wildcards: Record<string, string>
}

export interface FillParts {
  /** Value of each slot of the combination; undefined where the pack has no matrix, and `[[x]]` is A1111's. */
  readonly slots: ReadonlyMap<string, string> | undefined
  /** All of the matrix, to name the one that was meant. */
  readonly slotNames: readonly string[]
  readonly wildcards: Wildcards
  readonly random: () => number
  readonly parse: (text: string) => Template
}

/** As in a recipe. */
const maxLength = 100_000

/**
 * Fills templates of one job one after the other. A name has one value in all of them: positive and negative agree, and
 * so do two places of one prompt.
 */
export class TemplateFiller {
  readonly #parts: FillParts
  readonly #slots = new Map<string, string>()
  readonly #wildcards = new Map<string, string>()
  /** What is being filled, outermost first. */
  readonly #path: string[] = []

  constructor(parts: FillParts) {
    this.#parts = parts
  }

  get chosen(): Chosen {
    return { slots: Object.fromEntries(this.#slots), wildcards: Object.fromEntries(this.#wildcards) }
  }

  /** @throws AppError `pack_broken`: an unknown slot, a missing or endless wildcard, a text that grows too long. */
  fill(template: Template): string {
    let text = ''
    for (const node of template) {
      if (node.kind === 'text') text += node.text
      else if (node.kind === 'choice') text += this.#choice(node)
      else if (node.kind === 'slot') text += this.#slot(node.name, node.at)
      else text += this.#wildcard(node.name, node.inTag, node.at)
      if (text.length > maxLength)
        throw broken(`This prompt grows beyond ${maxLength} characters. Do its wildcards contain each other?`, 0)
    }
    return text
  }

  #choice({ options, several }: Extract<Template[number], { kind: 'choice' }>): string {
    const { random } = this.#parts
    if (several === null) return this.fill(pick(options, random()).nodes)
    const { least, most, separator } = several
    const possible = options.filter(({ weight }) => weight > 0)
    const upTo = Math.min(most, possible.length)
    const from = Math.min(least, upTo)
    const count = from + Math.floor(random() * (upTo - from + 1))
    const texts: string[] = []
    while (texts.length < count) {
      const option = pick(possible, random())
      possible.splice(possible.indexOf(option), 1)
      texts.push(this.fill(option.nodes))
    }
    return texts.join(separator)
  }

  #slot(name: string, at: number): string {
    const { slots, slotNames } = this.#parts
    if (slots === undefined) return `[[${name}]]`
    const value = slots.get(name)
    if (value === undefined)
      throw broken(
        `The matrix has no slot "${name}".${didYouMean(name, slotNames)} Add it with its values, or correct the name.`,
        at,
      )
    return this.#once(this.#slots, name, `[[${name}]]`, value)
  }

  #wildcard(name: string, inTag: boolean, at: number): string {
    const { wildcards, random } = this.#parts
    const known = this.#wildcards.get(name)
    if (known !== undefined) return known
    const values = wildcards.get(name)
    if (values === undefined || values.length === 0) {
      if (inTag) return `__${name}__`
      const problem = values ? 'is empty.' : `is missing.${didYouMean(name, wildcards.keys())} `
      throw broken(`The wildcard list "${name}" ${problem.trim()} Add the list, or correct the name.`, at)
    }
    return this.#once(this.#wildcards, name, `__${name}__`, values[Math.floor(random() * values.length)]!)
  }

  #once(chosen: Map<string, string>, name: string, shown: string, value: string): string {
    const known = chosen.get(name)
    if (known !== undefined) return known
    const start = this.#path.indexOf(shown)
    if (start !== -1)
      throw broken(
        `${[...this.#path.slice(start), shown].join(' → ')} never ends. Take one of them out of the other's values.`,
        0,
      )
    this.#path.push(shown)
    const text = this.fill(this.#parts.parse(value))
    this.#path.pop()
    chosen.set(name, text)
    return text
  }
}

const broken = (message: string, at: number): AppError => new AppError('pack_broken', message, { data: { at } })

function pick(options: readonly Option[], random: number): Option {
  let left = random * options.reduce((sum, { weight }) => sum + weight, 0)
  const possible = options.filter(({ weight }) => weight > 0)
  for (const option of possible) {
    left -= option.weight
    if (left < 0) return option
  }
  return possible.at(-1)!
}
