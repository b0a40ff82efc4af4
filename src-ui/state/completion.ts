export interface KnownNames {
  readonly slots: readonly string[]
  readonly wildcards: readonly string[]
  readonly loras: readonly string[]
  readonly embeddings: readonly string[]
}

/** What may be meant by what was begun at the caret. */
export interface Completion {
  /** Where what was begun starts, behind `[[`, `__`, `<lora:` or `<embedding:`. */
  readonly start: number
  readonly names: readonly string[]
  /** What ends a name. */
  readonly close: ']]' | '__' | ':1>' | '>'
}

const mostShown = 8

/** Null where no name is begun at the caret, or none is known for it. */
export function completionAt(text: string, caret: number, known: KnownNames): Completion | null {
  const before = text.slice(0, caret)
  const slot = /\[\[([^[\]\n]*)$/.exec(before)
  if (slot) return found(known.slots, slot[1]!, caret, ']]')
  const tag = /<(lora|embedding):([^<>:]*)$/i.exec(before)
  if (tag?.[1]?.toLowerCase() === 'lora') return found(known.loras, tag[2]!, caret, ':1>')
  if (tag) return found(known.embeddings, tag[2]!, caret, '>')
  const marks = before.split('__')
  const begun = marks.at(-1)!
  // An even number of marks: what stands before the caret is closed.
  if (marks.length % 2 === 1 || !/^[\p{L}\p{N}_./-]*$/u.test(begun)) return null
  return found(known.wildcards, begun, caret, '__')
}

/** Those that begin so first, then those that hold it. */
function found(names: readonly string[], begun: string, caret: number, close: Completion['close']): Completion | null {
  const wanted = begun.toLowerCase()
  const starting = names.filter((name) => name.toLowerCase().startsWith(wanted))
  const holding = names.filter((name) => !starting.includes(name) && name.toLowerCase().includes(wanted))
  const shown = [...starting, ...holding].slice(0, mostShown)
  return shown.length > 0 ? { start: caret - begun.length, names: shown, close } : null
}

/** The text with the name in place of what was begun, and where the caret is then. */
export function completed(
  text: string,
  caret: number,
  { start, close }: Completion,
  name: string,
): { text: string; caret: number } {
  const rest = text.slice(caret)
  // A LoRA that has its weight already keeps it.
  const weighted = close === ':1>' && /^:[^<>]*>/.test(rest)
  const end = rest.startsWith(close) && !weighted ? rest.slice(close.length) : rest
  const head = text.slice(0, start) + name + (weighted ? '' : close)
  return { text: head + end, caret: head.length }
}
