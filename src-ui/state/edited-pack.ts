import type { PackMatrix } from '../../src-sidecar/contract/pack.ts'
import type { EditRow, PackEdit } from '../../src-sidecar/contract/pack-edit.ts'

/** A row with a name of its own in this page, for it can be moved and duplicated. */
export interface Row extends EditRow {
  readonly key: number
}

export interface Edited {
  readonly rows: readonly Row[]
  readonly matrix: PackMatrix | null
}

let lastKey = 0
export const newKey = (): number => ++lastKey

export const editedOf = ({ rows, matrix }: PackEdit): Edited => ({ rows: rows.map((row) => ({ ...row, key: newKey() })), matrix })

/** As the sidecar takes it. */
export const packEditOf = ({ rows, matrix }: Edited): PackEdit => ({
  rows: rows.map(({ from, prompt, negativePrompt }) => ({ from, prompt, negativePrompt })),
  matrix,
})

export const sameEdit = (one: PackEdit, other: PackEdit): boolean => JSON.stringify(one) === JSON.stringify(other)

export function withRow(edited: Edited, key: number, change: Partial<Row>): Edited {
  return { ...edited, rows: edited.rows.map((row) => (row.key === key ? { ...row, ...change } : row)) }
}

/** Behind the row of `key`, or at the end. */
export function withNewRow(edited: Edited, row: Row, key: number | null): Edited {
  const at = edited.rows.findIndex((one) => one.key === key)
  return { ...edited, rows: edited.rows.toSpliced(at === -1 ? edited.rows.length : at + 1, 0, row) }
}

export const withoutRow = (edited: Edited, key: number): Edited => ({
  ...edited,
  rows: edited.rows.filter((row) => row.key !== key),
})

/** By so many places; not beyond the ends. */
export function withMoved(edited: Edited, key: number, by: number): Edited {
  const from = edited.rows.findIndex((row) => row.key === key)
  const to = Math.min(edited.rows.length - 1, Math.max(0, from + by))
  const row = edited.rows[from]
  if (row === undefined || to === from) return edited
  return { ...edited, rows: edited.rows.toSpliced(from, 1).toSpliced(to, 0, row) }
}
