import { afterEach } from 'vitest'
import { type RunningSidecar, startSidecar } from './sidecar.ts'
import { commandLine, endSurvivors, type LiveProcess, liveDescendants, takeBaseline } from './survivors.ts'
import { waitFor } from './wait-for.ts'

/**
 * For a test file that starts sidecars: after each test they are ended, then what was handed to `endAfter` (servers
 * of the test's own), and nothing may be left.
 */
export function trackSidecars() {
  const baseline = takeBaseline()
  const started: RunningSidecar[] = []
  const others: (() => unknown)[] = []

  afterEach(async () => {
    for (const { child, ended } of started.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    }
    for (const end of others.splice(0)) await end()
    // A failed test must not make the next ones fail.
    await baseline.expectNothingLeft().finally(() => endSurvivors(baseline))
  })

  const start = async (options: Parameters<typeof startSidecar>[0] = {}): Promise<RunningSidecar> => {
    const sidecar = await startSidecar(options)
    started.push(sidecar)
    return sidecar
  }
  const endAfter = (end: () => unknown) => void others.push(end)
  return { baseline, start, endAfter }
}

/** The draft engine itself, not its guard; alive before, so that gone after means something. */
export const engineRuns = (): Promise<LiveProcess> => waitFor(findEngine, 'the draft engine', { ms: 20_000 })

function findEngine(): LiveProcess | undefined {
  const all = liveDescendants()
  if (process.platform !== 'win32') return all.find(({ pid }) => /^\S*node .*draft-engine\/main\.ts/.test(commandLine(pid)))
  // Windows does not tell command lines: it is what a guard has started, and a guard what the sidecar has.
  const below = (parents: readonly { pid: number }[]) =>
    all.filter(({ parentPid, name }) => name === 'node.exe' && parents.some(({ pid }) => pid === parentPid))
  return below(below(below([process])))[0]
}
