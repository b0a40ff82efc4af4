// npm run soak: 200 random kills and scenarios; `--seed`, `--runs` and `--kind` as in test/soak/chaos.ts.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript, setup } from './setup.mjs'

await runScript(import.meta.url, async (argv) => {
  const node = await setup({ ui: false })
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'test/soak/chaos.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
