import type { Wildcards } from './fill-template.ts'
import type { MatrixSlot } from './matrix.ts'
import { namesIn, type Template } from './template.ts'

/**
 * Finds the slots that the texts of a prompt can come to, also by way of the values of slots and wildcards, in the order
 * of the matrix. A list is searched for names once, however many prompts use it.
 */
export function slotFinder(
  slots: readonly MatrixSlot[],
  wildcards: Wildcards,
  parse: (text: string) => Template,
): (texts: readonly string[]) => MatrixSlot[] {
  const lists = { slot: new Map(slots.map(({ name, values }) => [name, values])), wildcard: wildcards }
  const naming = { slot: new Map<string, readonly string[]>(), wildcard: new Map<string, readonly string[]>() }

  const valuesThatName = (kind: 'slot' | 'wildcard', name: string): readonly string[] => {
    const known = naming[kind].get(name)
    if (known !== undefined) return known
    const found = (lists[kind].get(name) ?? []).filter(mayName)
    naming[kind].set(name, found)
    return found
  }

  const none: MatrixSlot[] = []
  return (texts) => {
    // Most prompts of a large pack name nothing; to read them for that would take seconds.
    if (slots.length === 0 || !texts.some(mayName)) return none
    const reached = { slot: new Set<string>(), wildcard: new Set<string>() }
    const open = texts.map((text) => text)
    for (let text = open.pop(); text !== undefined; text = open.pop())
      for (const { kind, name } of namesIn(parse(text))) {
        if (reached[kind].has(name)) continue
        reached[kind].add(name)
        for (const value of valuesThatName(kind, name)) open.push(value)
      }
    return slots.filter(({ name }) => reached.slot.has(name))
  }
}

const mayName = (text: string): boolean => text.includes('[[') || text.includes('__')
