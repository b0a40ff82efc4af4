import type { BackendSample, ProcessRow } from '../contract/diagnostics.ts'
import type { ProcessRow as TableRow } from '../processes/process-table.ts'
import type { ContainedProcess } from '../processes/spawn-contained.ts'

/** Told of a contained process: its guard, its command, how it is held. */
export type Held = Pick<ContainedProcess, 'identity' | 'leader' | 'level' | 'role' | 'spawnId'>

/** Everything below `pid` in a table, without it. */
export function below(pid: number, table: readonly TableRow[]): TableRow[] {
  const found = new Set([pid])
  // Parents come first.
  return table.filter((row) => found.has(row.parentPid) && found.add(row.pid))
}

/** Memory of each tree without its guard, which is ours. @param vramOf null where it is not known */
export function backendSamples(
  held: readonly Held[],
  table: readonly TableRow[],
  vramOf: (pid: number) => number | null,
): BackendSample[] {
  return held.map(({ identity, spawnId }) => {
    const tree = below(identity.pid, table)
    const vram = tree.map(({ pid }) => vramOf(pid)).filter((bytes) => bytes !== null)
    return {
      id: spawnId,
      rssBytes: tree.reduce((sum, row) => sum + row.rssBytes, 0),
      processes: tree.length,
      vramBytes: vram.length === 0 ? null : vram.reduce((sum, bytes) => sum + bytes, 0),
    }
  })
}

/** The app and all below it, each with what it is to us and what holds it. */
export function processRows(own: TableRow, held: readonly Held[], table: readonly TableRow[]): ProcessRow[] {
  const owners = new Map<number, { of: Held; part: ProcessRow['part'] }>()
  for (const of of held) {
    const tree = below(of.identity.pid, table)
    for (const { pid } of tree) owners.set(pid, { of, part: pid === of.leader?.pid ? 'leader' : 'member' })
    owners.set(of.identity.pid, { of, part: 'guard' })
    // With a namespace, what we have started stands above its guard.
    const guard = table.find(({ pid }) => pid === of.identity.pid)
    if (guard !== undefined && guard.parentPid !== own.pid) owners.set(guard.parentPid, { of, part: 'helper' })
  }
  const rows = table.map((row): ProcessRow => {
    const owner = owners.get(row.pid)
    return { ...shown(row), part: owner?.part ?? 'helper', role: owner?.of.role ?? null, containment: owner?.of.level ?? null }
  })
  return [{ ...shown(own), part: 'app', role: null, containment: null }, ...rows]
}

const shown = ({ startTime: _, ...row }: TableRow) => row
