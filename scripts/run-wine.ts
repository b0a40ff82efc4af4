// The Windows tests below Wine. Started by test-wine.mjs under Node 24, after the set-up.
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { wineFolder } from './wine-folder.ts'

await runScript(import.meta.url, async () => {
  const env = { ...process.env, STABLENEW_WINE: await wineFolder() }
  const line = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/process/containment-windows.test.ts']
  return (await runChild(process.execPath, line, { cwd: root, env, graceMs: 10_000 })).exitCode
})
