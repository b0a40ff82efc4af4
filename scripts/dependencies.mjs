// node_modules as package-lock.json has it.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runChild } from './run-child.mjs'

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string | string[], cpu?: string | string[], libc?: string | string[] }} LockEntry */

/** @param {string} file @returns {Record<string, LockEntry>} */
const lockEntries = (file) => JSON.parse(readFileSync(file, 'utf8')).packages

/** @param {string | string[] | undefined} field npm's `os` or `cpu`: allowed names, or `!name` @param {string} value */
function allows(field, value) {
  if (field === undefined) return true
  const list = [field].flat()
  return list.some((item) => item.startsWith('!')) ? !list.includes(`!${value}`) : list.includes(value)
}

/** Whether this machine must have the package. Optional ones without a platform of their own belong to others that may be left out. @param {LockEntry} entry */
function isNeeded({ optional, os, cpu, libc }) {
  if (!optional) return true
  return Boolean(os || cpu) && !libc && allows(os, process.platform) && allows(cpu, process.arch)
}

/** Touched before each install. npm writes its own list last: one that is older is that of an install before. @param {string} root */
const startedStamp = (root) => join(root, '.tmp/install-started')

/** @param {string} file @returns {number} milliseconds; 0 when it is not there */
const modifiedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/**
 * Whether node_modules is what the lock file says, and no install was interrupted since.
 * @param {string} root
 */
export function isInstalled(root) {
  try {
    if (modifiedAt(join(root, 'node_modules/.package-lock.json')) <= modifiedAt(startedStamp(root))) return false
    const wanted = lockEntries(join(root, 'package-lock.json'))
    const present = lockEntries(join(root, 'node_modules/.package-lock.json'))
    const same = Object.keys(present).every((name) => present[name]?.integrity === wanted[name]?.integrity)
    return same && Object.keys(wanted).every((name) => name === '' || name in present || !isNeeded(wanted[name] ?? {}))
  } catch {
    return false
  }
}

/** npm as a command: the one that runs us, else the one on PATH. @returns {[string, string[]]} */
export function npmCommand() {
  const script = process.env.npm_execpath
  const node = process.env.npm_node_execpath
  if (script?.endsWith('npm-cli.js') && existsSync(script)) return [node && existsSync(node) ? node : process.execPath, [script]]
  return process.platform === 'win32' ? [process.env.ComSpec ?? 'cmd.exe', ['/d', '/s', '/c', 'npm']] : ['npm', []]
}

/**
 * Runs `npm ci` with its progress on stderr. Interrupted at any moment, the next start does it again.
 * @param {string} root
 * @param {number | undefined} lockFd inherited by npm, so that the folder stays locked as long as it works
 * @returns {Promise<import('./run-child.mjs').ChildEnd>}
 */
export async function installDependencies(root, lockFd) {
  const since = Date.now()
  const seconds = () => `${Math.round((Date.now() - since) / 1000)} s`
  console.error('Installing dependencies (npm ci) …')
  mkdirSync(join(root, '.tmp'), { recursive: true })
  writeFileSync(startedStamp(root), '')
  stepAside(root)
  const [command, args] = npmCommand()
  const progress = setInterval(() => console.error(`… still installing (${seconds()})`), 10_000)
  try {
    const end = await runChild(
      command,
      [...args, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        stdio: ['ignore', 2, 2, ...(lockFd === undefined ? [] : [lockFd])],
        cwd: root,
        ownGroup: process.platform !== 'win32',
        wholeGroup: true,
        deathSignal: 'KILL',
        graceMs: 5_000,
      },
    )
    if (end.exitCode === 0) console.error(`Dependencies installed in ${seconds()}.`)
    return end
  } finally {
    clearInterval(progress)
  }
}

/** Windows can't delete the program that runs: when that is the Node of node_modules, it moves out of npm's way first. @param {string} root */
function stepAside(root) {
  if (process.platform !== 'win32' || !dirname(process.execPath).startsWith(join(root, 'node_modules'))) return
  renameSync(process.execPath, join(root, '.tmp', `node-${process.pid}.exe`))
}
