import type { MatrixMode } from '../../contract/pack.ts'
import type { BasePrompt, Matrix } from '../expand/matrix.ts'
import type { SearchReplace, SearchRule } from '../expand/search-replace.ts'
import type { JsonValue } from './json-tree.ts'

/** Names of older versions; what is none of them was `sequential` there. */
const modes = new Map<string, MatrixMode>([
  ['fanout', 'fanout'],
  ['grid', 'fanout'],
  ['all', 'fanout'],
  ['rotate', 'rotate'],
  ['random', 'random'],
  ['per_prompt', 'random'],
])

type JsonObject = { readonly [key: string]: JsonValue }

/** The matrix of a `.json` pack; undefined where there is none, or it is switched off. */
export function readMatrix(value: JsonValue | undefined): Matrix | undefined {
  if (!isObject(value) || value.enabled === false) return undefined
  const slots = objects(value.slots).flatMap(({ name, values }) =>
    typeof name === 'string' && name.trim() !== '' ? [{ name: name.trim(), values: texts(values) }] : [],
  )
  const basePrompt = readBasePrompt(value)
  if (slots.length === 0 && basePrompt === undefined) return undefined
  const limit = Math.floor(Number(value.limit))
  const mode = typeof value.mode === 'string' ? (modes.get(value.mode.toLowerCase()) ?? 'sequential') : 'fanout'
  return { mode, limit: Number.isSafeInteger(limit) && limit > 0 ? limit : 0, slots, ...(basePrompt && { basePrompt }) }
}

/** Without a mode it replaces, as it did there. */
function readBasePrompt({ base_prompt, prompt_mode }: JsonObject): BasePrompt | undefined {
  const text = texts(base_prompt).join('').trim()
  if (text === '') return undefined
  return { mode: prompt_mode === 'prepend' || prompt_mode === 'append' ? prompt_mode : 'replace', text }
}

export interface Randomization {
  readonly matrix: Matrix | undefined
  readonly searchReplace: SearchReplace | undefined
  readonly wildcards: ReadonlyMap<string, readonly string[]>
}

/** `randomization` of the settings of a `.json` pack. */
export function readRandomization(value: JsonValue | undefined): Randomization {
  const all = isObject(value) && value.enabled !== false ? value : {}
  const rules: SearchRule[] = []
  const sr = enabled(all.prompt_sr)
  for (const { search, replacements } of objects(sr.rules))
    if (typeof search === 'string' && search !== '') rules.push({ search, replacements: texts(replacements) })
  const wildcards = new Map<string, string[]>()
  for (const { token, values } of objects(enabled(all.wildcards).tokens)) {
    if (typeof token !== 'string' || token === '') continue
    const name = /^__(.+)__$/.exec(token)?.[1]
    // A token could be any text there.
    if (name === undefined) rules.push({ search: token, replacements: texts(values) })
    else wildcards.set(name, texts(values))
  }
  const mode = sr.mode === 'fanout' || sr.mode === 'round_robin' ? sr.mode : 'random'
  return { matrix: readMatrix(all.matrix), searchReplace: rules.length > 0 ? { mode, rules } : undefined, wildcards }
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const enabled = (value: JsonValue | undefined): JsonObject => (isObject(value) && value.enabled !== false ? value : {})

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

const texts = (value: JsonValue | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((one: JsonValue | undefined) =>
    typeof one === 'string' ? [one] : typeof one === 'number' ? [String(one)] : [],
  )
