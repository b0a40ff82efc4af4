// npm run test:wine: the containment on Windows and the package for it, below Wine. What Wine 8 lacks (taskkill /T, Ctrl+Break) is not run.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

await runScript(import.meta.url, async (argv) => {
  const node = await setup({ ui: true })
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/run-wine.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
