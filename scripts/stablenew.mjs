#!/usr/bin/env node
// npx stablenew …: the sidecar's commands (`run`, …) in the foreground; without any, the same as npm start.
import { join } from 'node:path'
import { isForeground } from './arguments.mjs'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'
import { start } from './start.mjs'

/** @param {readonly string[]} argv */
async function stablenew(argv) {
  if (!isForeground(argv)) return start(argv)
  const node = await setup({ ui: false })
  // TERM, should we be killed ourselves: a run has no pipe of ours that could tell it.
  const line = ['--disable-warning=ExperimentalWarning', join(root, 'src-sidecar/main.ts'), ...argv]
  return (await runChild(node, line, { deathSignal: 'TERM' })).exitCode
}

await runScript(import.meta.url, stablenew)
