import type { LastShutdown } from '../../src-sidecar/contract/last-shutdown.ts'

/** What the sidecar waits for, by the names of its steps. */
const steps: Record<string, string> = {
  'pack watcher': 'Taking no new work',
  'running image': 'Finishing the running image',
  pages: 'Taking no new work',
  backend: 'Stopping the backend',
  window: 'Closing the window',
  processes: 'Checking that nothing is left',
}

/** A step that this page doesn't know is told by its own name. */
export function closingText(step: string | undefined): string {
  if (!step) return 'Stopping'
  return steps[step] ?? `${step.charAt(0).toUpperCase()}${step.slice(1)}`
}

/** In a sentence, what was wrong with the end of the last run. */
export function uncleanText({ verdict, left, steps, detail }: LastShutdown): string {
  if (left.length > 0) return `Left behind: ${left.join(', ')}.`
  const failed = steps.filter(({ error }) => error !== null).map(({ name }) => name)
  if (verdict === 'forced') return 'It hung and was ended after 30 seconds.'
  return failed.length > 0 ? `This failed: ${failed.join(', ')}.` : (detail ?? 'The log says more.')
}
