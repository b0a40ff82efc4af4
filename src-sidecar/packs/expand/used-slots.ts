import type { Wildcards } from './fill-template.ts'
import type { MatrixSlot } from './matrix.ts'
import { namesIn, type Template } from './template.ts'

/** The slots that texts can come to, also by way of the values of slots and wildcards; in the order of the matrix. */
export function usedSlots(
  texts: readonly string[],
  slots: readonly MatrixSlot[],
  wildcards: Wildcards,
  parse: (text: string) => Template,
): MatrixSlot[] {
  const slotValues = new Map(slots.map(({ name, values }) => [name, values]))
  const reached = new Set<string>()
  const usedNames = new Set<string>()
  const open = [...texts]
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    if (!text.includes('[[') && !text.includes('__')) continue
    for (const { kind, name } of namesIn(parse(text))) {
      if (kind === 'slot') usedNames.add(name)
      const key = `${kind} ${name}`
      if (reached.has(key)) continue
      reached.add(key)
      for (const value of (kind === 'slot' ? slotValues : wildcards).get(name) ?? []) open.push(value)
    }
  }
  return slots.filter(({ name }) => usedNames.has(name))
}
