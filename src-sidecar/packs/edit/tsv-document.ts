import type { EditRow } from '../../contract/pack-edit.ts'
import { badRow, type Document, joinPieces, lineEndOf, noTags } from './document.ts'

/** A `.tsv` pack: a row is a line; blank lines and comments are kept between them. */
export function tsvDocument(text: string): Document {
  const lineEnd = lineEndOf(text)
  const gaps: string[] = []
  const lines: string[] = []
  let gapStart = 0
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    gaps.push(text.slice(gapStart, index))
    lines.push(line)
    gapStart = index + line.length
  }
  gaps.push(text.slice(gapStart))
  const rows = lines.map((line, from): EditRow => ({ from, ...textsOf(line) }))
  const write = (wanted: readonly EditRow[]): string => {
    const written = wanted.map((row, at) => {
      const line = row.from === null ? '' : (lines[row.from] ?? '')
      const old = textsOf(line)
      if (row.from !== null && old.prompt === row.prompt && old.negativePrompt === row.negativePrompt) return line
      const [prompt, negative] = [oneLine(row.prompt), oneLine(row.negativePrompt)]
      if (prompt === '') throw badRow(at, 'There is no prompt. Write one, or remove the row.')
      if (prompt.startsWith('#')) throw badRow(at, 'This would be a comment. Put something before the #.')
      return negative === '' ? prompt : `${prompt}\t${negative}`
    })
    return joinPieces(
      { gaps: gaps.length === 1 ? [text && `${text.trimEnd()}${lineEnd}`, lineEnd] : gaps, rows: lines },
      written,
      lineEnd,
    )
  }
  return { rows, tags: rows.map(() => noTags), write }
}

function textsOf(line: string): { prompt: string; negativePrompt: string } {
  const [prompt = '', negativePrompt = ''] = line.split('\t').map((field) => field.trim())
  return { prompt, negativePrompt }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
