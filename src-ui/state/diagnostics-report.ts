import type { Diagnostics, Sample } from '../../src-sidecar/contract/diagnostics.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'

const reportedSamples = 30

/** What goes into a bug report, as JSON. Taken field by field: nothing comes along that is not meant for others' eyes. */
export function diagnosticsReport(status: Status, diagnostics: Diagnostics, samples: readonly Sample[]): string {
  const { version, system, shell, backends, containment, lastShutdown } = status
  const { leaks, recycled, processes, threads, handles, sampleMs, keptAwake } = diagnostics
  const report = {
    version,
    system,
    shell,
    backends: backends.map(({ kind, state, problem }) => ({ kind, state, problem: problem?.code ?? null })),
    containment,
    leaks,
    recycled,
    sampleMs,
    processes,
    threads: threads.map(({ kind, name }) => ({ kind, name })),
    handles,
    keptAwake,
    samples: samples.slice(-reportedSamples),
    lastShutdown,
  }
  return JSON.stringify(report, null, 2)
}
