// npm test: set-up, then every gate and test, under Node 24.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

/**
 * @param {readonly string[]} argv
 * @returns {Promise<number>}
 */
export async function test(argv) {
  const node = await setup()
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/run-gates.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM', graceMs: 15_000 })).exitCode
}

await runScript(import.meta.url, test)
