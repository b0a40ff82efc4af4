// What the package's `stablenew` runs: the same as `npm start` and `npx stablenew`, with what lies beside it.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isForeground, parseArgs } from '../arguments.mjs'
import { openApp } from '../open-app.mjs'
import { runChild } from '../run-child.mjs'
import { runScript } from '../run-script.mjs'

const program = join(import.meta.dirname, 'main.js')
const root = dirname(import.meta.dirname)
const window = join(root, process.platform === 'win32' ? 'StableNew.exe' : 'stablenew-window')

await runScript(import.meta.url, async (argv) => {
  const node = process.execPath
  // TERM, should we be killed ourselves: a run has no pipe of ours that could tell it.
  if (isForeground(argv)) return (await runChild(node, [program, ...argv], { deathSignal: 'TERM' })).exitCode
  return await openApp({ root, node, program, packaged: true }, parseArgs(argv), {
    find: () => (existsSync(window) ? window : null),
    whyNone: async () => 'this package has none',
  })
})
