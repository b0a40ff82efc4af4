import { theilSen } from '../diagnostics/theil-sen.ts'

const mebi = 1024 * 1024
/** Before the fifth cycle things are still being loaded and made ready. */
const fromCycle = 5
const warnBytes = 1 * mebi
const failBytes = 5 * mebi

export interface Cycle {
  readonly cycle: number
  /** heapUsed and external memory after a forced collection. */
  readonly heapBytes: number
  readonly rssBytes: number
  /** What the app's own report named as left. */
  readonly left: readonly string[]
}

/**
 * What start, work and stop keep, from the fifth cycle on. The heap counts from there to the end; resident memory, which
 * the allocator gives back when it likes, by the median of its slopes a cycle.
 */
export function judgeCycles(cycles: readonly Cycle[]): { findings: string[]; remarks: string[] } {
  const findings = cycles.flatMap(({ cycle, left }) => left.map((one) => `left open at the end of cycle ${cycle}: ${one}`))
  const settled = cycles.filter(({ cycle }) => cycle >= fromCycle)
  const [first, last] = [settled[0], settled.at(-1)]
  if (first === undefined || last === undefined || first === last)
    return { findings: [...findings, `at least ${fromCycle + 1} cycles are needed, not ${cycles.length}`], remarks: [] }
  const grown: [string, number][] = [
    [`heap and external memory from cycle ${first.cycle} to ${last.cycle}`, last.heapBytes - first.heapBytes],
    [`resident memory a cycle`, theilSen(settled.map(({ cycle, rssBytes }) => ({ x: cycle, y: rssBytes }))).slope],
  ]
  const remarks: string[] = []
  for (const [what, bytes] of grown) {
    const text = `${what}: ${bytes < 0 ? '−' : '+'}${(Math.abs(bytes) / mebi).toFixed(2)} MB`
    if (bytes > failBytes) findings.push(`memory grows: ${text}; ${failBytes / mebi} MB is the most`)
    else remarks.push(bytes > warnBytes ? `warning: memory grows: ${text}` : text)
  }
  return { findings, remarks }
}
