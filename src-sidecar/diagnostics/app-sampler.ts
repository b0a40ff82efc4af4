import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Sample } from '../contract/diagnostics.ts'
import { readProcessStat } from '../processes/process-stat.ts'

/** At 50 ms watching costs 0.13 % of a core; at 10 ms five times as much. */
const resolutionMs = 50
const hasProc = process.platform === 'linux'

/** What this very process uses. One sample takes about 0.1 ms. */
export class AppSampler {
  /** Not before the start: Node counts one that was never enabled as something open (24.21). */
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined

  start(): void {
    this.#delay = monitorEventLoopDelay({ resolution: resolutionMs })
    this.#delay.enable()
  }

  stop(): void {
    this.#delay?.disable()
  }

  take(): Sample['app'] {
    const { rss, heapUsed, external } = process.memoryUsage()
    const [delayMeanMs, delayMaxMs] = this.#delays()
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      externalBytes: external,
      handles: process.getActiveResourcesInfo().length,
      // One is that of this very look.
      descriptors: hasProc ? readdirSync('/proc/self/fd').length - 1 : null,
      threads: readProcessStat(process.pid)?.threads || null,
      delayMeanMs,
      delayMaxMs,
    }
  }

  /** The histogram holds times between two looks, so what is on time counts as the resolution. */
  #delays(): [number, number] {
    if (this.#delay === undefined) return [0, 0]
    const { mean, max, count } = this.#delay
    this.#delay.reset()
    if (count === 0) return [0, 0]
    return [late(mean), late(max)]
  }
}

const late = (ns: number): number => Math.max(0, Math.round((ns / 1e6 - resolutionMs) * 10) / 10)
