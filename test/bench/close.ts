// npm run bench close: how long closing takes, and how much of that is the sidecar's own part.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { machine, table } from '../helpers/bench-table.ts'
import { type LaunchedSidecar, launchSidecar, queueDone, readLastShutdown } from '../helpers/launched-sidecar.ts'
import { endSurvivors, takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'

interface Close {
  /** From the signal to the end of the process. */
  readonly wholeMs: number
  /** The same without what the backend took to end. */
  readonly ownMs: number
}

interface Case {
  readonly draftArgs: string
  /** Gets it to where it is closed. */
  enter(sidecar: LaunchedSidecar): Promise<unknown>
}

const pack = 'example/portraits.txt'
const small = { width: 64, height: 64 }
const oneImage = async (sidecar: LaunchedSidecar) => {
  await sidecar.queue(pack, { prompts: [0], settings: { ...small, steps: 1 } })
  await queueDone(sidecar)
}

const cases = {
  bare: { draftArgs: '--step-ms 0', enter: async () => {} },
  idle: { draftArgs: '--step-ms 0', enter: oneImage },
  busy: {
    draftArgs: '--step-ms 100',
    async enter(sidecar) {
      await sidecar.queue(pack, { prompts: [0], settings: { ...small, steps: 200 } })
      const made = async () => ((await sidecar.get<Queue>('/api/queue')).progress[0]?.fraction ?? 0) > 0
      await waitFor(made, 'an image being made', { ms: 20_000 })
    },
  },
  stubborn: { draftArgs: '--step-ms 0 --workers 3 --ignore-term', enter: oneImage },
} satisfies Record<string, Case>

const baseline = takeBaseline()

/** The end of a process that does nothing but be there: no program can be faster. */
async function floor(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log()'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout!, 'data')
  const before = performance.now()
  child.kill('SIGTERM')
  await once(child, 'exit')
  return performance.now() - before
}

async function close({ draftArgs, enter }: Case): Promise<Close> {
  const dataDir = mkdtempSync(join(tmpdir(), 'stablenew-bench-'))
  try {
    const sidecar = await launchSidecar({ dataDir, args: ['--at-exit', 'cancel', '--draft-args', draftArgs] })
    await enter(sidecar)
    const before = performance.now()
    sidecar.child.kill('SIGTERM')
    const { code, at } = await sidecar.ended
    if (code !== 0) throw new Error(`exit code ${code}: ${sidecar.output()}`)
    await baseline.expectNothingLeft()
    const { steps } = readLastShutdown(dataDir)
    const backendMs = steps.find(({ phase, name }) => phase === 'processes' && name === 'backend')!.ms
    return { wholeMs: at - before, ownMs: at - before - backendMs }
  } finally {
    await endSurvivors(baseline)
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

async function repeat<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let run = 0; run < count; run++) results.push(await work())
  return results
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '30' } } })
const runs = Number(values.runs)
const few = Math.max(1, Math.round(runs / 6))

console.log(machine())
const floorRow = { what: 'floor: bare node, SIGTERM', values: await repeat(runs, floor) }
const bare = await repeat(runs, () => close(cases.bare))
const idle = await repeat(runs, () => close(cases.idle))
const busy = await repeat(few, () => close(cases.busy))
const stubborn = await repeat(few, () => close(cases.stubborn))
const own = (closes: readonly Close[]) => closes.map(({ ownMs }) => ownMs)
const whole = (closes: readonly Close[]) => closes.map(({ wholeMs }) => wholeMs)
const rows = [
  { what: 'idle, no backend yet: whole', values: whole(bare) },
  { what: 'idle, backend ready: whole', values: whole(idle) },
  { what: 'idle, backend ready: own part', values: own(idle) },
  { what: 'busy (cancel): whole', values: whole(busy) },
  { what: 'busy (cancel): own part', values: own(busy) },
  { what: 'tree that ignores SIGTERM: whole', values: whole(stubborn) },
  { what: 'tree that ignores SIGTERM: own part', values: own(stubborn) },
]
console.log(table(rows, floorRow))
console.log(machine())
