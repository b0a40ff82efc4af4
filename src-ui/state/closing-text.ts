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
