import { JobTree } from './job-tree.ts'
import { runShim } from './shim-core.ts'

// A Ctrl+C or Ctrl+Break for the command reaches everybody on the console, and the console is ours.
for (const signal of ['SIGINT', 'SIGBREAK'] as const) process.on(signal, () => {})
runShim(() => new JobTree())
