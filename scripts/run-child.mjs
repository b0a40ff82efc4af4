// Runs one child program that never outlives us: the one place where the scripts start something.
import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { watchParents } from './parents.mjs'

const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/** A terminal or pipe that has gone must not end us by EIO or EPIPE before the child is down. */
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

/** @type {boolean | undefined} */
let deathSignalWorks

/** Whether `setpriv --pdeathsig` is there (util-linux; busybox has none). */
function canSetDeathSignal() {
  deathSignalWorks ??=
    process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'keep', 'true'], { stdio: 'ignore' }).status === 0
  return deathSignalWorks
}

/**
 * @typedef {object} ChildOptions
 * @property {import('node:child_process').StdioOptions} [stdio] default: inherited
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [ownGroup] a group of its own: a terminal's Ctrl+C then reaches only us, and we forward it
 * @property {boolean} [wholeGroup] end the child's whole group, not only its leader (needs `ownGroup`)
 * @property {'stdin' | 'SIGTERM'} [endBy] how it is asked to end when our parent has gone; default SIGTERM
 * @property {'KILL' | 'TERM'} [deathSignal] what it gets when we are SIGKILLed ourselves (where setpriv exists)
 * @property {number} [graceMs] from the first request to end until SIGKILL; default 35,000
 * @property {number} [timeoutMs] ends it after this time
 * @property {AbortSignal} [stop] ends it
 * @property {(child: import('node:child_process').ChildProcess) => void} [onStart]
 *
 * @typedef {object} ChildEnd
 * @property {number} exitCode the child's own, or 128 + n for a signal
 * @property {'timeout' | 'parent-gone' | 'stop' | NodeJS.Signals | null} endedBy what we passed on to it, if anything
 */

/**
 * Runs a program to its end. Signals are passed on; when our parent goes, the child is asked to end. Killed after `graceMs`.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ChildOptions} [options]
 * @returns {Promise<ChildEnd>}
 * @throws the spawn error (ENOENT …)
 */
export async function runChild(command, args, options = {}) {
  const { stdio = 'inherit', cwd, env, ownGroup = false, wholeGroup = false, endBy = 'SIGTERM', graceMs = 35_000 } = options
  const wrapped = options.deathSignal !== undefined && canSetDeathSignal()
  const line = wrapped ? ['setpriv', '--pdeathsig', options.deathSignal ?? '', '--', command, ...args] : [command, ...args]
  const child = spawn(line[0] ?? '', line.slice(1), { stdio, cwd, env, detached: ownGroup, windowsHide: true })
  /** @type {ChildEnd['endedBy']} */
  let endedBy = null
  /** @type {NodeJS.Timeout[]} */
  const timers = []

  /** @param {NodeJS.Signals} signal */
  const send = (signal) => {
    // Until 'exit' is out the pid is still this child's: Node has not reaped it, so nobody else can have it.
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    if (!wholeGroup || process.platform === 'win32') return void child.kill(signal)
    try {
      process.kill(-child.pid, signal)
    } catch {
      child.kill(signal)
    }
  }
  /** @param {'timeout' | 'parent-gone' | 'stop'} why */
  const end = (why) => {
    endedBy ??= why
    if (endBy === 'stdin') child.stdin?.end()
    else send('SIGTERM')
    timers.push(setTimeout(() => send('SIGKILL'), graceMs))
  }
  const handlers = forwarded.map((signal) => {
    const handler = () => {
      if (!endedBy) timers.push(setTimeout(() => send('SIGKILL'), graceMs))
      endedBy ??= signal
      if (process.platform !== 'win32') send(signal)
      // On Windows a signal kills at once. A child that shares our console has had its Ctrl+C already.
      else if (endBy === 'stdin') child.stdin?.end()
    }
    process.on(signal, handler)
    return () => void process.off(signal, handler)
  })
  const unwatch = watchParents(() => end('parent-gone'))
  if (options.timeoutMs) timers.push(setTimeout(() => end('timeout'), options.timeoutMs))
  const onStop = () => end('stop')
  options.stop?.addEventListener('abort', onStop)
  child.stdin?.on('error', () => {})
  options.onStart?.(child)

  try {
    const exitCode = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
    })
    if (wholeGroup && endedBy && child.pid !== undefined && process.platform !== 'win32') killRest(child.pid)
    return { exitCode, endedBy }
  } finally {
    unwatch()
    options.stop?.removeEventListener('abort', onStop)
    for (const off of handlers) off()
    for (const timer of timers) clearTimeout(timer)
  }
}

/**
 * What is left of a group whose leader was ended by us. A group's number is not given out again while it has a member.
 * @param {number} group
 */
function killRest(group) {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // nobody was left
  }
}

/** The exit code of a script that was ended from outside: 128 + n; 143 when its parent went. @param {NonNullable<ChildEnd['endedBy']>} endedBy */
export function exitCodeFor(endedBy) {
  return endedBy === 'timeout' || endedBy === 'parent-gone' || endedBy === 'stop' ? 143 : 128 + constants.signals[endedBy]
}
