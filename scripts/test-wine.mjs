// npm run test:wine: containment, processes, sidecar and the package on Node for Windows, below Wine. Tests count what is not run there, and say why.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

await runScript(import.meta.url, async (argv) => {
  const node = await setup({ ui: true })
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/run-wine.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
