// npm run package: set-up, then the packages for Linux and Windows in dist/.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

await runScript(import.meta.url, async (argv) => {
  const node = await setup()
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/package/package.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
