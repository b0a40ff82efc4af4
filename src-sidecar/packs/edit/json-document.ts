import type { EditRow } from '../../contract/pack-edit.ts'
import { editJson } from '../formats/edit-json.ts'
import { type JsonNode, type JsonValue, jsonTree } from '../formats/json-tree.ts'
import { readSlot, slotTags } from '../formats/read-slot.ts'
import { badRow, type Document, lineEndOf } from './document.ts'

/**
 * A `.json` pack: a row is a slot with a prompt. Slots that have none are kept behind the others where rows move, and
 * embeddings, LoRAs and whatever else a slot holds stay with it. @throws JsonSyntaxError
 */
export function jsonDocument(text: string): Document {
  const root = jsonTree(text)
  const inPack = root.members?.has('pack_data') || (root.members?.has('preset_data') && !root.members.has('slots'))
  const slotsNode = (root.members?.get('pack_data') ?? root).members?.get('slots')
  const slots = slotsNode?.items ?? []
  const shown = slots.filter(({ value }) => Object.values(readSlot(value)).some((one) => one !== ''))
  const unseen = slots.filter((slot) => !shown.includes(slot))
  const rows = shown.map(({ value }, from): EditRow => ({ from, ...textsOf(value) }))

  const write = (wanted: readonly EditRow[]): string => {
    const items = wanted.map((row, at) => {
      const slot = row.from === null ? undefined : shown[row.from]
      const tags = slot && slotTags(slot.value)
      if (row.prompt.trim() === '' && !tags?.before && !tags?.after)
        throw badRow(at, 'There is no prompt. Write one, or remove the row.')
      return slot ? withTexts(text.slice(slot.start, slot.end), slot.value, row) : newSlot(slots, at, row)
    })
    const inPlace = wanted.length === shown.length && wanted.every(({ from }, at) => from === at)
    if (slotsNode?.items === undefined) {
      const values = items.map((item) => JSON.parse(item) as JsonValue)
      return editJson(text, inPack ? ['pack_data', 'slots'] : ['slots'], values)
    }
    if (inPlace)
      return splice(
        text,
        shown.map((slot, at) => [slot, items[at]!]),
      )
    const all = [...items, ...unseen.map((slot) => text.slice(slot.start, slot.end))]
    return splice(text, [[slotsNode, list(text, slotsNode, all)]])
  }
  return { rows, tags: shown.map(({ value }) => slotTags(value)), write }
}

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')

function textsOf(value: JsonValue): { prompt: string; negativePrompt: string } {
  const { text, negative } = value as { readonly [key: string]: JsonValue }
  return { prompt: textOf(text), negativePrompt: textOf(negative) }
}

function withTexts(source: string, value: JsonValue, { prompt, negativePrompt }: EditRow): string {
  const old = textsOf(value)
  const edited = old.prompt === prompt ? source : editJson(source, ['text'], prompt)
  return old.negativePrompt === negativePrompt ? edited : editJson(edited, ['negative'], negativePrompt)
}

function newSlot(slots: readonly JsonNode[], at: number, { prompt, negativePrompt }: EditRow): string {
  const indexes = slots
    .map(({ value }) => Number((value as { readonly [key: string]: JsonValue } | null)?.index))
    .filter(Number.isFinite)
  const index = Math.max(-1, ...indexes) + 1 + at
  return JSON.stringify({ ...(indexes.length > 0 && { index }), text: prompt, negative: negativePrompt }, null, 2)
}

function splice(text: string, changes: readonly (readonly [JsonNode, string])[]): string {
  let [done, out] = [0, '']
  for (const [node, written] of changes) {
    out += text.slice(done, node.start) + written
    done = node.end
  }
  return out + text.slice(done)
}

/** The array with these items, in the manner of its first one. */
function list(text: string, node: JsonNode, items: readonly string[]): string {
  const first = node.items?.[0]
  const outer = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', node.start) + 1))?.[0] ?? ''
  const between = first ? text.slice(node.start + 1, first.start) : `${lineEndOf(text)}${outer}  `
  const indent = between.slice(between.lastIndexOf('\n') + 1)
  const end = between.includes('\n') ? lineEndOf(text) + outer : ''
  // New ones come without the indent of the place where they land.
  const placed = items.map((item) => (item.includes('\n}') ? item.replaceAll('\n', `\n${indent}`) : item))
  return items.length === 0 ? '[]' : `[${between}${placed.join(`,${between || ' '}`)}${end}]`
}
