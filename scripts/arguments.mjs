import { SetupError } from './run-script.mjs'

const shells = ['auto', 'neutralino', 'browser', 'none']

/** Commands that run in the foreground, without a window. */
const foreground = ['run', 'selftest', '--selftest', 'help', '--help', '-h', '--version', '-V']

/** @param {readonly string[]} argv */
export const isForeground = (argv) => argv.some((arg) => foreground.includes(arg))

/**
 * Takes the shell out of the arguments; all others go to the sidecar. The last one wins.
 * @param {readonly string[]} argv
 * @returns {{ shell: string, rest: string[] }}
 * @throws SetupError (2) for a shell that there is not
 */
export function parseArgs(argv) {
  let shell = 'auto'
  const rest = []
  for (let index = 0; index < argv.length; index++) {
    const arg = argv[index] ?? ''
    if (arg === '--headless') shell = 'none'
    else if (arg === '--shell') shell = argv[++index] ?? ''
    else if (arg.startsWith('--shell=')) shell = arg.slice('--shell='.length)
    else rest.push(arg)
  }
  if (!shells.includes(shell)) throw new SetupError(`There is no shell “${shell}”: use ${shells.join(', ')}.`, 2)
  return { shell, rest }
}
