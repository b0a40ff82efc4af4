/** What badly behaved backends do, so that the end can be rehearsed against it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** As SIGSEGV would be told. */
const crashExitCode = 139

/**
 * Goes on as a careless launcher: program → shell → program, as `webui.sh` and its like. Whoever ends the launcher has not ended the
 * rest. @returns the exit code of the program behind the shell
 */
export async function runBehindShell(args: readonly string[]): Promise<number> {
  const line = [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...args]
  const quoted = line.map((word) => (process.platform === 'win32' ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`))
  // With something to do afterwards: a shell would become the program otherwise.
  const child = spawn(`${quoted.join(' ')}${process.platform === 'win32' ? '' : '; exit $?'}`, { shell: true, stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return code ?? 1
}

/** Leaves a process in a session of its own whose parent has ended. Resolves when that parent is gone. */
export async function leaveDaemon(): Promise<void> {
  const daemon = `setInterval(() => {}, 2 ** 30)`
  const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(daemon)}],
    { detached: true, stdio: 'ignore' }).unref()`
  const child: ChildProcess = spawn(process.execPath, ['-e', parent], { stdio: 'ignore', windowsHide: true })
  await once(child, 'exit')
}

/** Ends the program without a word, as a crash does. */
export function crash(): never {
  process.exit(crashExitCode)
}
