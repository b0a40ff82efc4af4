import type { EditRow } from '../../contract/pack-edit.ts'
import { badRow, type Document, joinPieces, lineEndOf, noTags, splitLines } from './document.ts'

interface Line {
  readonly kind: 'comment' | 'prompt' | 'negative'
  readonly raw: string
  /** Without blanks around it, and without `neg:`. */
  readonly text: string
}

/** A `.txt` pack: a row is a block with its comments; comments that stand alone are kept between the blocks. */
export function textDocument(text: string): Document {
  const lineEnd = lineEndOf(text)
  const gaps: string[] = []
  const blocks: string[] = []
  let gapStart = 0
  // Runs of lines that are not blank.
  for (const { 0: run, index } of text.matchAll(/[^\r\n]*\S[^\r\n]*(?:(?:\r\n|\n|\r)[^\r\n]*\S[^\r\n]*)*/g)) {
    if (linesOf(run).every(({ kind }) => kind === 'comment')) continue
    gaps.push(text.slice(gapStart, index))
    blocks.push(run)
    gapStart = index + run.length
  }
  gaps.push(text.slice(gapStart))
  const rows = blocks.map((block, from): EditRow => ({ from, ...textsOf(block) }))
  const write = (wanted: readonly EditRow[]): string => {
    const written = wanted.map((row, at) => {
      const block = row.from === null ? '' : (blocks[row.from] ?? '')
      const { prompt, negativePrompt } = textsOf(block)
      return row.from !== null && prompt === row.prompt && negativePrompt === row.negativePrompt
        ? block
        : withTexts(block, checked(row, at), lineEnd)
    })
    const rest = gaps.length === 1 && text.trim() !== '' ? [`${text.trimEnd()}${lineEnd}${lineEnd}`, lineEnd] : ['', lineEnd]
    return joinPieces({ gaps: gaps.length === 1 ? rest : gaps, rows: blocks }, written, lineEnd + lineEnd)
  }
  return { rows, tags: rows.map(() => noTags), write }
}

const mark = /^neg:/i

const linesOf = (block: string): Line[] =>
  block.split(/\r\n|\n|\r/).flatMap((raw): Line[] => {
    const text = raw.trim()
    if (text.startsWith('#')) return [{ kind: 'comment', raw, text }]
    return mark.test(text) ? [{ kind: 'negative', raw, text: text.replace(mark, '').trim() }] : [{ kind: 'prompt', raw, text }]
  })

function textsOf(block: string): { prompt: string; negativePrompt: string } {
  const texts = (kind: Line['kind']) =>
    linesOf(block)
      .filter((line) => line.kind === kind && line.text !== '')
      .map((line) => line.text)
      .join('\n')
  return { prompt: texts('prompt'), negativePrompt: texts('negative') }
}

function checked(row: EditRow, at: number): { prompt: string[]; negative: string[] } {
  const [prompt, negative] = [splitLines(row.prompt), splitLines(row.negativePrompt)]
  if (prompt.length === 0) throw badRow(at, 'There is no prompt. Write one, or remove the row.')
  for (const line of [...prompt, ...negative])
    if (line.startsWith('#')) throw badRow(at, `The line "${line.slice(0, 40)}" would be a comment. Put something before the #.`)
  const marked = prompt.find((line) => mark.test(line))
  if (marked !== undefined) throw badRow(at, `"${marked.slice(0, 40)}" belongs into the negative prompt.`)
  return { prompt, negative }
}

/** The block with other texts: comments stay, lines that are the same stay as they were written. */
function withTexts(block: string, { prompt, negative }: ReturnType<typeof checked>, lineEnd: string): string {
  const lines = block === '' ? [] : linesOf(block)
  const known = new Map(lines.map(({ kind, text, raw }) => [`${kind} ${text}`, raw]))
  const written = {
    prompt: prompt.map((text) => known.get(`prompt ${text}`) ?? text),
    negative: negative.map((text) => known.get(`negative ${text}`) ?? `neg: ${text}`),
  }
  const count = (kind: Line['kind']) => lines.filter((line) => line.kind === kind).length
  // Line by line where there are as many as before, otherwise all in place of the first.
  const lineByLine = { prompt: count('prompt') === prompt.length, negative: count('negative') === negative.length }
  const out: string[] = []
  for (const { kind, raw } of lines) {
    if (kind === 'comment') out.push(raw)
    else out.push(...written[kind].splice(0, lineByLine[kind] ? 1 : written[kind].length))
  }
  return [...out, ...written.prompt, ...written.negative].join(lineEnd)
}
