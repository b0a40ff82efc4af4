// The tests of the window. Started by test-shell.mjs under Node 24, after the set-up.
import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { findChromium } from '../src-sidecar/shell/find-chromium.ts'
import { installPackages } from './install-packages.ts'
import { findNeutralino } from './neutralino.mjs'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'

const screenPrograms = ['Xvfb', 'openbox', 'wmctrl']
const hasScreen = () => screenPrograms.every((name) => spawnSync('which', [name]).status === 0)

await runScript(import.meta.url, async (argv) => {
  const binary = findNeutralino(root)
  const screen = binary !== null && (hasScreen() || (await installPackages('xvfb', 'openbox', 'wmctrl')))
  const browser = findChromium(process.env)
  const why = binary === null ? 'no binary in bin/, and no NEUTRALINO_BIN' : `${screenPrograms.join(', ')} are needed`
  const env = {
    ...process.env,
    ...(screen && binary !== null && { NEUTRALINO_BIN: binary }),
    ...(browser === null ? {} : { CHROMIUM_BIN: browser }),
    PATH: dirname(process.execPath) + delimiter + process.env.PATH,
  }
  const line = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...(argv.length > 0 ? argv : ['test/shell'])]
  const { exitCode } = await runChild(process.execPath, line, { cwd: root, env, graceMs: 10_000 })
  if (!screen) console.log(`The real Neutralino window: not run (${why}). The stand-in for it: run.`)
  return exitCode
})
