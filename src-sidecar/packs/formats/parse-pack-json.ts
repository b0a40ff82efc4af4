import type { PackPrompt } from '../../contract/pack.ts'
import { decodeText } from '../decode-text.ts'
import type { Matrix } from '../expand/matrix.ts'
import type { SearchReplace } from '../expand/search-replace.ts'
import type { ParsedPack } from '../parse-pack.ts'
import { type JsonNode, JsonSyntaxError, type JsonValue, jsonTree } from './json-tree.ts'
import { readMatrix, readRandomization } from './read-randomization.ts'
import { readSlot } from './read-slot.ts'

export interface PackContent extends ParsedPack {
  readonly name: string | null
  readonly matrix: Matrix | undefined
  readonly searchReplace: SearchReplace | undefined
  readonly wildcards: ReadonlyMap<string, readonly string[]>
  /** `txt2img`, `img2img`, `adetailer`, `upscale`, `pipeline` and whatever else the file sets, as written. */
  readonly settings: Readonly<Record<string, JsonValue>>
}

/**
 * Parses a `.json` PromptPack as StableNew has written it: `pack_data` and `preset_data`; older, `slots` at the root; or
 * only settings. What is missing or of another type is passed over, so that any of them loads; a file without prompts
 * is fine, for its prompts may stand in the `.txt` of the same name. Never throws: what is wrong comes back as `problem`.
 */
export function parsePackJson(bytes: Uint8Array): PackContent {
  const text = decodeText(bytes)
  if (typeof text !== 'string') return broken(text.line, text.message)
  let root: JsonNode
  try {
    root = jsonTree(text)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    return broken(lineOf(text, error.at), `This is not JSON: ${error.message}`)
  }
  if (root.members === undefined) return broken(1, 'A pack in JSON is an object: { "pack_data": { "slots": [ … ] } }.')
  const pack = root.members.get('pack_data') ?? root
  const settings = objectOf(root.members.get('preset_data')?.value ?? (root.members.has('pack_data') ? {} : root.value))
  const randomization = readRandomization(settings.randomization)
  const name = pack.members?.get('name')?.value
  const prompts: PackPrompt[] = []
  let [line, counted] = [1, 0]
  for (const node of pack.members?.get('slots')?.items ?? []) {
    line += lineOf(text.slice(counted, node.start), node.start) - 1
    counted = node.start
    const slot = readSlot(node.value)
    if (slot.prompt !== '' || slot.negativePrompt !== '') prompts.push({ index: prompts.length, line, ...slot })
  }
  return {
    prompts,
    problem: null,
    name: typeof name === 'string' && name.trim() !== '' ? name : null,
    ...randomization,
    matrix: readMatrix(pack.members?.get('matrix')?.value) ?? randomization.matrix,
    settings,
  }
}

/**
 * `{name}.txt` and `{name}.json` as one pack: settings and matrix of the JSON, and its prompts where it has any (the text
 * was written from them), otherwise those of the text.
 */
export const joinPack = (text: ParsedPack, json: PackContent): PackContent =>
  json.problem !== null || json.prompts.length > 0 ? json : { ...json, ...text }

const broken = (line: number | null, message: string): PackContent => ({
  prompts: [],
  problem: { line, message },
  name: null,
  matrix: undefined,
  searchReplace: undefined,
  wildcards: new Map(),
  settings: {},
})

const objectOf = (value: JsonValue): Record<string, JsonValue> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as Record<string, JsonValue>) } : {}

const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length
