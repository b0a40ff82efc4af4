// Opens the app: a Neutralino window where there is one, else the sidecar with a browser or none.
import { runSidecar } from './host-lines.mjs'
import { hasDisplay } from './neutralino.mjs'
import { SetupError } from './run-script.mjs'
import { runWindow } from './window.mjs'

/**
 * @typedef {object} InstalledApp
 * @property {string} root
 * @property {string} node the Node for the sidecar
 * @property {string} program the sidecar's
 * @property {boolean} [packaged]
 */

/**
 * Why no Neutralino window can open, as the end of a sentence; null when one can.
 * @param {InstalledApp} app
 * @param {() => Promise<string | null>} whyNoBinary
 */
async function whyNoWindow({ root, packaged }, whyNoBinary) {
  if (!hasDisplay()) return 'there is no display'
  if (!packaged && root.includes("'")) return 'the folder’s path has an apostrophe in it'
  return await whyNoBinary()
}

/**
 * @param {InstalledApp} app
 * @param {{ shell: string, rest: string[] }} choice as `parseArgs` reads it
 * @param {{ find: () => string | null, whyNone: (wanted: boolean) => Promise<string | null> }} binary the window's; `wanted`: asked for by name
 * @returns {Promise<number>} the exit code
 */
export async function openApp(app, { shell, rest }, binary) {
  const { node, program } = app
  if (shell === 'browser' || shell === 'none') return runSidecar(program, node, ['--shell', shell, ...rest])

  let reason = await whyNoWindow(app, async () => (binary.find() ? null : binary.whyNone(shell === 'neutralino')))
  if (!reason) {
    const { exitCode, opened, lastLine } = await runWindow(app, binary.find() ?? '', rest)
    // GTK, ended from another thread, now and then says 1 at an orderly close; a signal is told.
    if (opened) return exitCode > 128 ? exitCode : 0
    if (exitCode === 0) return 0
    reason = `it ended with code ${exitCode}${lastLine && `: ${lastLine}`}`
  }
  if (shell === 'neutralino') throw new SetupError(`The Neutralino window can’t open: ${reason}.`)
  // Without a display the sidecar says why there is no browser either.
  if (hasDisplay()) console.log(`No Neutralino window (${reason}): using a browser.`)
  return runSidecar(program, node, ['--shell', 'auto', ...rest])
}
