// npm start: set-up, then the app.
import { join } from 'node:path'
import { parseArgs } from './arguments.mjs'
import { fetchNeutralino, findNeutralino } from './neutralino.mjs'
import { openApp } from './open-app.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

/** @param {readonly string[]} argv */
export async function start(argv) {
  const choice = parseArgs(argv)
  const node = await setup()
  return openApp({ root, node, program: join(root, 'src-sidecar/main.ts') }, choice, {
    find: () => findNeutralino(root),
    whyNone: (wanted) => fetchNeutralino(root, node, wanted),
  })
}

await runScript(import.meta.url, start)
