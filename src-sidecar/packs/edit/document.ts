import type { EditRow, RowTags } from '../../contract/pack-edit.ts'
import { AppError } from '../../errors/app-error.ts'

/** The prompts of a file as rows, and the file with other rows: what is no prompt, and every row not edited, stays as it is. */
export interface Document {
  readonly rows: readonly EditRow[]
  /** By `from`. */
  readonly tags: readonly RowTags[]
  /** @throws AppError `bad_request` where the file can't hold a row. */
  write(rows: readonly EditRow[]): string
}

/** Rows of a text, and what stands before, between and behind them: one gap more than rows. */
export interface Pieces {
  readonly gaps: readonly string[]
  readonly rows: readonly string[]
}

/**
 * Puts rows in place of those of a text. Gaps keep their places; of those that are too many the comments stay, and new ones
 * are `newGap`.
 */
export function joinPieces({ gaps }: Pieces, rows: readonly string[], newGap: string): string {
  const last = gaps.length - 1
  const between = rows.slice(1).map((_, at) => (at + 1 < last ? gaps[at + 1]! : newGap))
  const comments = gaps
    .slice(Math.max(1, rows.length), last)
    .map((gap) => gap.trim())
    .filter((gap) => gap !== '')
  const text = rows.map((row, at) => (at === 0 ? row : between[at - 1] + row)).join('')
  return `${gaps[0]}${[text, ...comments].join(newGap)}${gaps[last]}`
}

/** `\r\n` where the text has it. */
export const lineEndOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

export const splitLines = (text: string): string[] =>
  text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '')

export const badRow = (at: number, message: string): AppError => new AppError('bad_request', `Row ${at + 1}: ${message}`)

export const noTags: RowTags = { before: '', after: '', negativeBefore: '' }
