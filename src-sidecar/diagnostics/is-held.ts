import { setTimeout as delay } from 'node:timers/promises'
import { collectGarbage, heldBytes } from './collect-garbage.ts'
import { type Growth, longestWindowMs } from './judge-growth.ts'

const rounds = 2
const roundMs = 10_000
/** Of the growth that made us suspicious. */
const share = 0.5

/**
 * Whether this process's memory grows by more than garbage. After a short window: whether what is held goes on growing in
 * each of two rounds of 10 s. After the long one, which also sees what native code loses: whether a collection leaves most of it.
 * @returns false where the signal comes first
 */
export async function isHeld({ kbPerS, windowMs }: Growth, signal: AbortSignal): Promise<boolean> {
  if (windowMs === longestWindowMs) {
    const { heapUsed, external } = process.memoryUsage()
    collectGarbage()
    const after = process.memoryUsage()
    return (heapUsed + external - after.heapUsed - after.external) / 1024 < share * kbPerS * (windowMs / 1000)
  }
  let before = heldBytes()
  for (let round = 0; round < rounds; round++) {
    const cut = await delay(roundMs, false, { signal, ref: false }).catch(() => true)
    if (cut) return false
    const now = heldBytes()
    if ((now - before) / 1024 < share * kbPerS * (roundMs / 1000)) return false
    before = now
  }
  return true
}
