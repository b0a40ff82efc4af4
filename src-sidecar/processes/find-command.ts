import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, resolve } from 'node:path'

/**
 * Where a command is, by the PATH that it will run with. Done by us because a launcher in between (setpriv) would turn
 * "not found" into an exit code.
 */
export function findCommand(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): { path: string } | { problem: string } {
  if (!isDirectory(cwd)) return { problem: `the working folder ${cwd} is not there` }
  // Windows has rules of its own for this, and libuv follows them.
  if (process.platform === 'win32') return { path: command }
  const tried = command.includes('/')
    ? [isAbsolute(command) ? command : resolve(cwd, command)]
    : (env.PATH ?? '/usr/local/bin:/usr/bin:/bin')
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => resolve(cwd, folder, command))
  const path = tried.find(isExecutable)
  return path ? { path } : { problem: `${command} is not there or can't be run (looked at ${tried.join(', ')})` }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
