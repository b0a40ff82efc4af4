import { AppError } from '../../errors/app-error.ts'
import { type Chosen, TemplateFiller, type Wildcards } from './fill-template.ts'
import {
  combinationAt,
  combinationCount,
  combinationForTurn,
  combinationsGiven,
  type Matrix,
  type MatrixSlot,
  usableSlots,
  withBasePrompt,
} from './matrix.ts'
import { type FoundRules, findRules, type SearchReplace } from './search-replace.ts'
import { seededNumbers } from './seeded-choice.ts'
import { parseTemplate, type Template } from './template.ts'
import { slotFinder } from './used-slots.ts'

export interface ExpandInput {
  readonly prompts: readonly WrittenPrompt[]
  readonly matrix?: Matrix | undefined
  readonly wildcards?: Wildcards
  readonly searchReplace?: SearchReplace | undefined
  readonly seed: number
}

export interface WrittenPrompt {
  readonly prompt: string
  readonly negativePrompt: string
  /** Place in its pack, where these are not all of it: a prompt alone has the same turns and draws its matrix alike. */
  readonly index?: number
}

export interface ExpandedPrompt {
  readonly promptIndex: number
  readonly prompt: string
  readonly negativePrompt: string
  readonly chosen: Chosen
}

export interface Expansion {
  /** How many prompts come out; known exactly before any is built. */
  readonly count: bigint
  /** @throws AppError `pack_broken` (what and where), RangeError (no such index). */
  at(index: number | bigint): ExpandedPrompt
  /** The first `length`, or all where there are fewer. */
  preview(length: number): ExpandedPrompt[]
  /** All, each built when it is asked for. */
  [Symbol.iterator](): Generator<ExpandedPrompt>
}

interface PromptPlan {
  readonly found: FoundRules
  readonly slots: readonly MatrixSlot[]
  readonly combinations: bigint
  readonly given: bigint
  /** Index of its first job. */
  readonly start: bigint
}

/** Parsed texts that are kept; a prompt, a slot's value and a wildcard's are asked for again and again. */
const maxParsed = 2000

/**
 * Every prompt that a pack makes. Pure: the same input gives the same list, and any index can be asked for alone. First
 * search and replace, then `[[slot]]`, `__wildcard__` and `{a|b}`; the matrix (and search and replace with `fanout`)
 * decides how many there are, wildcards and braces are drawn anew for each by the seed.
 * @throws AppError `pack_broken` with `data.promptIndex` where a prompt that names a slot or a wildcard can't be read; any
 * other is read when it is asked for.
 */
export function expand({ prompts: written, matrix, wildcards = new Map(), searchReplace, seed }: ExpandInput): Expansion {
  const prompts = written.map(({ prompt, negativePrompt, index }, place) => ({
    prompt: withBasePrompt(prompt, matrix?.basePrompt),
    negativePrompt,
    index: index ?? place,
  }))
  const slots = usableSlots(matrix?.slots ?? [])
  const parse = rememberedParse()
  const usedSlots = slotFinder(slots, wildcards, parse)
  const plans: PromptPlan[] = []
  let count = 0n
  for (const { prompt, negativePrompt, index } of prompts) {
    const plan = naming(index, () => {
      const found = findRules(searchReplace?.rules ?? [], [prompt, negativePrompt])
      const texts = [prompt, negativePrompt, ...found.rules.flatMap(({ replacements }) => replacements)]
      const used = usedSlots(texts)
      const combinations = combinationCount(used)
      return { found, slots: used, combinations, given: matrix ? combinationsGiven(matrix, combinations) : 1n, start: count }
    })
    plans.push(plan)
    count += plan.given * (searchReplace?.mode === 'fanout' ? combinationCount(ruleSlots(plan.found)) : 1n)
  }

  const at = (asked: number | bigint): ExpandedPrompt => {
    const index = BigInt(asked)
    if (index < 0n || index >= count) throw new RangeError(`There are ${count} prompts, from index 0; there is none at ${index}.`)
    const place = lastNotAfter(plans, index)
    const { found, slots: used, combinations, given, start } = plans[place]!
    const source = prompts[place]!
    const promptIndex = source.index
    const nth = (index - start) % given
    const random = seededNumbers(`${seed}:${index}`)
    const replacements = chosenReplacements(found, searchReplace?.mode, (index - start) / given, promptIndex, seed)
    const combination = matrix && combinationForTurn(matrix, combinations, { nth, promptIndex, jobIndex: index, seed })
    const filler = new TemplateFiller({
      slots: combination === undefined ? undefined : combinationAt(used, combination),
      slotNames: slots.map(({ name }) => name),
      wildcards,
      random,
      parse,
    })
    return naming(promptIndex, () => {
      const prompt = filler.fill(parse(found.replace(source.prompt, replacements)))
      const negativePrompt = filler.fill(parse(found.replace(source.negativePrompt, replacements)))
      return { promptIndex, prompt, negativePrompt, chosen: filler.chosen }
    })
  }

  const preview = (length: number): ExpandedPrompt[] =>
    Array.from({ length: Number(count < BigInt(length) ? count : BigInt(length)) }, (_, index) => at(index))

  function* each(): Generator<ExpandedPrompt> {
    for (let index = 0n; index < count; index++) yield at(index)
  }
  return { count, at, preview, [Symbol.iterator]: each }
}

const ruleSlots = ({ rules }: FoundRules): MatrixSlot[] =>
  rules.map(({ search, replacements }) => ({ name: search, values: replacements }))

function chosenReplacements(
  found: FoundRules,
  mode: SearchReplace['mode'] | undefined,
  variant: bigint,
  promptIndex: number,
  seed: number,
): string[] {
  if (mode === 'fanout') return [...combinationAt(ruleSlots(found), variant).values()]
  // All jobs of a prompt get the same one, so that they differ by the matrix only.
  const random = seededNumbers(`${seed}:replace:${promptIndex}`)
  return found.rules.map(({ replacements }) => {
    const place = mode === 'round_robin' ? promptIndex % replacements.length : Math.floor(random() * replacements.length)
    return replacements[place]!
  })
}

function lastNotAfter(plans: readonly PromptPlan[], index: bigint): number {
  let [low, high] = [0, plans.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (plans[middle]!.start <= index) low = middle
    else high = middle - 1
  }
  return low
}

function rememberedParse(): (text: string) => Template {
  const parsed = new Map<string, Template>()
  return (text) => {
    const known = parsed.get(text)
    if (known !== undefined) return known
    if (parsed.size >= maxParsed) parsed.clear()
    const template = parseTemplate(text)
    parsed.set(text, template)
    return template
  }
}

function naming<T>(promptIndex: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, `Prompt ${promptIndex + 1}: ${error.message}`, {
      cause: error,
      data: { ...error.data, promptIndex },
    })
  }
}
