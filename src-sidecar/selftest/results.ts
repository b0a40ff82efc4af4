import type { SelftestFigures, SelftestResult } from '../contract/selftest.ts'
import type { TreeWatch } from '../processes/tree-watch.ts'

const noFigures: SelftestFigures = {
  exitMs: null,
  exitCode: null,
  emptyMs: null,
  watchedMs: null,
  peakRssBytes: null,
  rssBytes: null,
  peakProcesses: 0,
  peakThreads: 0,
  peakDescriptors: null,
  ports: [],
}

/** What was seen of a tree; the rest is the caller's to measure. */
export function figuresOf({ peak, ports }: TreeWatch): SelftestFigures {
  return {
    ...noFigures,
    peakRssBytes: peak.rssBytes,
    peakProcesses: peak.processes,
    peakThreads: peak.threads,
    peakDescriptors: peak.descriptors,
    ports: [...ports],
  }
}

/** @param why in a short sentence */
export const notRun = (why: string): SelftestResult => ({
  outcome: 'not-run',
  findings: [],
  remarks: [why],
  figures: noFigures,
  steps: [],
})

/** @param finding what was wrong */
export const failed = (finding: string, figures = noFigures): SelftestResult => ({
  outcome: 'failed',
  findings: [finding],
  remarks: [],
  figures,
  steps: [],
})
