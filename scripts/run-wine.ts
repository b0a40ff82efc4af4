// The Windows tests below Wine. Started by test-wine.mjs under Node 24, after the set-up.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { wineFolder } from './wine-folder.ts'

const windowsTests = ['test/process/containment-windows', 'test/package/package-windows', 'test/package/windows-suite']

await runScript(import.meta.url, async (argv) => {
  const env = { ...process.env, STABLENEW_WINE: await wineFolder(), STABLENEW_VERIFY: '1' }
  const line = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...(argv.length > 0 ? argv : windowsTests)]
  return (await runChild(process.execPath, line, { cwd: root, env, graceMs: 10_000 })).exitCode
})
