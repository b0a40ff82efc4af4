// npm run bench -- NAME [options]: runs test/bench/NAME.ts. Without a name: all of them, one after another,
// into test/bench/RESULTS.md; with --results NAME …: those, in place of their parts of it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript, SetupError } from './run-script.mjs'
import { setup } from './setup.mjs'

await runScript(import.meta.url, async ([name, ...options]) => {
  const into = name === undefined || name === '--results'
  const program = into ? join(root, 'scripts/run-benches.ts') : join(root, 'test/bench', `${name}.ts`)
  if (!into && (!/^[a-z-]+$/.test(name) || !existsSync(program)))
    throw new SetupError(`There is no benchmark "${name}" in test/bench.`, 2)
  const node = await setup()
  const line = ['--disable-warning=ExperimentalWarning', program, ...options]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
})
