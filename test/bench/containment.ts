import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import treeKill from 'tree-kill'
import { escapeProgram } from '../helpers/escape-program.ts'
import { escapeRows } from '../helpers/escape-rows.ts'
import { supervise } from '../helpers/supervised.ts'
import { endSurvivors, liveDescendants, takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { machineLine, median, table } from './report.ts'

// npm run bench -- containment [--runs N] [--row 9b] [--way shim]: what each way of ending a process tree leaves of the rows in escape-rows.ts.

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, row: { type: 'string' }, way: { type: 'string', default: '' } },
  allowPositionals: true,
})
const runs = Number(values.runs)
/** All of them: SIGTERM, this long, SIGKILL. */
const graceMs = 500
/** What still lives this long after the end counts as left. */
const settleMs = 2000
/** Nothing seen for this long counts as gone. */
const quietMs = 300

const folder = mkdtempSync(join(tmpdir(), 'stablenew-bench-'))
const program = escapeProgram(folder)
const standing = () => liveDescendants().filter(({ name }) => name === program.processName)

/** Starts the row and returns how to end it. */
type Way = (row: string) => Promise<{ end(): Promise<unknown>; after?(): Promise<unknown> }>

const ready = async (child: ChildProcess) => {
  child.stdout!.resume()
  await once(child.stdout!, 'data')
}
const twice = (send: (signal: NodeJS.Signals) => void) => async () => {
  send('SIGTERM')
  await waitFor(() => standing().length === 0, 'the end', { ms: graceMs }).catch(() => send('SIGKILL'))
}
const quietly = (work: () => void) => {
  try {
    work()
  } catch {
    // Gone already.
  }
}

const ours =
  (level: string): Way =>
  async (row) => {
    const supervised = supervise([program.command, ...program.args, row], { dataDir: folder, level, graceMs })
    await supervised.line('ready')
    return {
      end: async () => {
        supervised.tell('terminate')
        await supervised.event('closed')
      },
      after: () => supervised.finish(),
    }
  }

const oursKilled =
  (level: string): Way =>
  async (row) => {
    const supervised = supervise([program.command, ...program.args, row], { dataDir: folder, level, graceMs })
    await supervised.line('ready')
    return { end: () => supervised.kill() }
  }

const plain = async (row: string, detached = false) => {
  const child = spawn(program.command, [...program.args, row], { stdio: ['ignore', 'pipe', 'inherit'], detached })
  await ready(child)
  return child
}

const ways: Record<string, Way> = {
  'StableNew, namespace': ours('namespace'),
  'StableNew, shim': ours('shim'),
  'StableNew, group': ours('group'),
  'tree-kill': async (row) => {
    const { pid } = await plain(row)
    return { end: twice((signal) => treeKill(pid!, signal)) }
  },
  'execa, killDescendants': async (row) => {
    const child = execa(program.command, [...program.args, row], {
      stdin: 'ignore',
      buffer: false,
      reject: false,
      killDescendants: true,
      forceKillAfterDelay: graceMs,
    })
    await ready(child as unknown as ChildProcess)
    return {
      end: async () => {
        child.kill('SIGTERM')
        await Promise.race([child, delay(settleMs)])
      },
    }
  },
  'group kill': async (row) => {
    const { pid } = await plain(row, true)
    return { end: twice((signal) => quietly(() => process.kill(-pid!, signal))) }
  },
  'StableNew, namespace, sidecar SIGKILLed': oursKilled('namespace'),
  'StableNew, shim, sidecar SIGKILLed': oursKilled('shim'),
  'StableNew, group, sidecar SIGKILLed': oursKilled('group'),
}

/**
 * When the last process was gone, or null where some still live after the settling time. One look that sees nothing
 * proves nothing: between two links of a chain there may be none to be seen.
 */
async function lastSeen(from: number): Promise<number | null> {
  let goneAt: number | null = null
  while (performance.now() - from < graceMs + settleMs) {
    if (standing().length > 0) goneAt = null
    else goneAt ??= performance.now()
    if (goneAt !== null && performance.now() - goneAt > quietMs) return goneAt
    await delay(1)
  }
  return null
}

/** `✓ms` where nothing was left, `✗n` where n processes were. */
async function cell(way: Way, row: string, atLeast: number): Promise<string> {
  const times: number[] = []
  let left = 0
  for (let run = 0; run < runs; run++) {
    const baseline = takeBaseline()
    const { end, after } = await way(row)
    await waitFor(() => standing().length >= atLeast || row === '3b', 'the row to stand', { ms: 10_000, everyMs: 1 })
    const from = performance.now()
    const ended = end()
    const emptyAt = await lastSeen(from)
    if (emptyAt !== null) times.push(emptyAt - from)
    await ended
    if (emptyAt === null) left = Math.max(left, 1, standing().length)
    await endSurvivors(baseline).catch(() => {})
    await after?.()
  }
  return left === 0 && times.length === runs ? `✓${Math.round(median(times))}` : `✗${left}`
}

const cells: string[][] = []
const chosen = Object.entries(ways).filter(([name]) => name.includes(values.way))
for (const [row, what, atLeast] of escapeRows) {
  if (values.row !== undefined && values.row !== row) continue
  const line = [`${row} ${what}`]
  for (const [, way] of chosen) line.push(await cell(way, row, atLeast))
  cells.push(line)
  process.stderr.write(`${line.join(' | ')}\n`)
}
console.log(
  `${machineLine()}\nSIGTERM, ${graceMs} ms, SIGKILL. ✓ms: nothing left, median of ${runs}. ✗n: n processes left after ${settleMs} ms.\n`,
)
console.log(table(['row', ...chosen.map(([name]) => name)], cells))
rmSync(folder, { recursive: true, force: true })
process.exit(0)
