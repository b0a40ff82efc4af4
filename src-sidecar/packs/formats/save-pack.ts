import { editJson, type JsonPath } from './edit-json.ts'
import { type JsonValue, jsonTree } from './json-tree.ts'

/** What was edited in a pack; the names are those of the file. */
export interface PackChanges {
  readonly name?: string
  /** By place in the file, from 0: indexes may be missing or stand twice. The place after the last adds a prompt. */
  readonly slots?: readonly { readonly place: number; readonly values: Readonly<Record<string, JsonValue>> }[]
  readonly matrix?: Readonly<Record<string, JsonValue>>
  /** Section, as `txt2img`, and what is set in it. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>
}

/**
 * The text of a `.json` pack with its changes. Only what was changed is written anew: without changes the text comes
 * back as it was, and what StableNew doesn't know stays.
 * @throws JsonSyntaxError (no JSON), RangeError (no such place).
 */
export function savePack(original: string, changes: PackChanges): string {
  const { members } = jsonTree(original)
  const nested = members?.has('pack_data') || members?.has('preset_data')
  const settings: JsonPath = nested ? ['preset_data'] : []
  // As it is read: what stands at the root counts where there is no pack_data.
  const pack: JsonPath = nested && (members?.has('pack_data') || !members?.has('slots')) ? ['pack_data'] : []
  const edits: [JsonPath, JsonValue][] = []
  if (changes.name !== undefined) edits.push([[...pack, 'name'], changes.name])
  for (const { place, values } of changes.slots ?? [])
    for (const [key, value] of Object.entries(values)) edits.push([[...pack, 'slots', place, key], value])
  for (const [key, value] of Object.entries(changes.matrix ?? {})) edits.push([[...pack, 'matrix', key], value])
  for (const [section, values] of Object.entries(changes.settings ?? {}))
    for (const [key, value] of Object.entries(values)) edits.push([[...settings, section, key], value])
  return edits.reduce((text, [path, value]) => editJson(text, path, value), original)
}
