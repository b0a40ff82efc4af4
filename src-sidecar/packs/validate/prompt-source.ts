import { type JsonNode, jsonTree } from '../formats/json-tree.ts'

/** A text of a pack and where its characters stand in the file. */
export interface PromptSource {
  readonly text: string
  /** Place in the file, from 0, of the character at `offset` of the text. */
  readonly placeOf: (offset: number) => number
}

interface Piece {
  readonly text: string
  readonly at: number
}

/** Pieces joined with a space, as the parsers do it. */
function joined(pieces: readonly Piece[]): PromptSource {
  const starts: number[] = []
  let text = ''
  for (const piece of pieces) {
    if (text !== '') text += ' '
    starts.push(text.length)
    text += piece.text
  }
  const placeOf = (offset: number): number => {
    const last = Math.max(
      0,
      starts.findLastIndex((start) => start <= offset),
    )
    return (pieces[last]?.at ?? 0) + offset - (starts[last] ?? 0)
  }
  return { text, placeOf }
}

const trimmed = (text: string, at: number): Piece => ({ text: text.trim(), at: at + text.length - text.trimStart().length })

/** Every line with its place, without its end. */
export function* linesOf(text: string): Generator<Piece> {
  let at = 0
  for (const end of text.matchAll(/\r\n|\n|\r/g)) {
    yield { text: text.slice(at, end.index), at }
    at = end.index + end[0].length
  }
  yield { text: text.slice(at), at }
}

/** Positive and negative prompt of each block of a `.txt` pack. */
export function textSources(text: string): PromptSource[] {
  const sources: PromptSource[] = []
  let [positive, negative]: [Piece[], Piece[]] = [[], []]
  const endBlock = () => {
    for (const pieces of [positive, negative]) if (pieces.length > 0) sources.push(joined(pieces))
    positive = []
    negative = []
  }
  for (const raw of linesOf(text)) {
    const line = trimmed(raw.text, raw.at)
    const mark = /^neg:/i.exec(line.text)?.[0].length ?? 0
    if (line.text === '') endBlock()
    else if (!line.text.startsWith('#')) (mark > 0 ? negative : positive).push(trimmed(line.text.slice(mark), line.at + mark))
  }
  endBlock()
  return sources
}

/** Positive and negative prompt of each row of a `.tsv` pack. */
export const tsvSources = (text: string): PromptSource[] =>
  [...linesOf(text)]
    .filter((row) => !row.text.trimStart().startsWith('#'))
    .flatMap(({ text: row, at }) => [...row.matchAll(/[^\t]+/g)].map((field) => joined([trimmed(field[0], at + field.index)])))
    .filter((source) => source.text !== '')

/** `text` and `negative` of each slot of a `.json` pack, and the values of its matrix. @throws JsonSyntaxError */
export function jsonSources(text: string): PromptSource[] {
  const root = jsonTree(text)
  const pack = root.members?.get('pack_data') ?? root
  const slots = pack.members?.get('slots')?.items ?? []
  const prompts = slots.flatMap((slot) => [slot.members?.get('text'), slot.members?.get('negative')])
  const matrix = pack.members?.get('matrix')?.members?.get('slots')?.items ?? []
  const values = matrix.flatMap((slot) => slot.members?.get('values')?.items ?? [])
  return [...prompts, ...values].flatMap((node) => (typeof node?.value === 'string' ? [jsonSource(text, node)] : []))
}

const jsonSource = (text: string, node: JsonNode): PromptSource => ({
  text: node.value as string,
  placeOf: (offset) => {
    let at = node.start + 1
    for (let done = 0; done < offset; done++) at += text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2
    return at
  },
})
