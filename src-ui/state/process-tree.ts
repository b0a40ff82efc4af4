import type { ProcessRow } from '../../src-sidecar/contract/diagnostics.ts'

export interface TreeRow extends ProcessRow {
  readonly depth: number
}

/** Every process right below its parent, as a tree is read. */
export function treeOf(rows: readonly ProcessRow[]): TreeRow[] {
  const known = new Set(rows.map(({ pid }) => pid))
  const walk = (row: ProcessRow, depth: number): TreeRow[] => [
    { ...row, depth },
    ...rows.filter(({ parentPid }) => parentPid === row.pid).flatMap((child) => walk(child, depth + 1)),
  ]
  return rows.filter(({ parentPid }) => !known.has(parentPid)).flatMap((root) => walk(root, 0))
}
