// npm run test:shell: every way to close the app below the stand-in for Neutralino, and below the real one where its binary is.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

await runScript(import.meta.url, async (argv) => {
  const node = await setup()
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/run-shell.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
