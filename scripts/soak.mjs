// npm run soak: 200 random kills and scenarios; `--seed`, `--runs` and `--kind` as in test/soak/chaos.ts. With `--record-healthy` it
// records the memory of healthy runs instead (test/soak/healthy.ts).
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

await runScript(import.meta.url, async (argv) => {
  const node = await setup({ ui: false })
  const program = argv.includes('--record-healthy') ? 'test/soak/healthy.ts' : 'test/soak/chaos.ts'
  const line = ['--disable-warning=ExperimentalWarning', join(root, program), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
