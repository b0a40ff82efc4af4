// Who started us, and whether they are still there. npm dies at a signal and leaves its script behind, so scripts look themselves.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/**
 * One process on Linux, from /proc/PID/stat and comm; null when it is gone or a zombie.
 * @param {number} pid
 */
export function processInfo(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = 'X', ppid = '0', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return null
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    return { pid, ppid: Number(ppid), name, startTime: rest[17] ?? '' }
  } catch {
    return null
  }
}

/** @param {number} pid */
function exists(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** Whether npm or npx started this very script. Its variables come down to programs further below, too. */
function isNpmScript() {
  const name = basename(process.argv[1] ?? '', '.mjs')
  const script = process.env.npm_lifecycle_script?.replaceAll(/['"]/g, '') ?? ''
  return Boolean(process.env.npm_config_user_agent?.startsWith('npm/')) && [`node scripts/${name}.mjs`, name].includes(script)
}

/**
 * Our parent, and the npm above it where it is npm that runs us (`sh -c` may stand between).
 * @returns {Map<number, string> | null} pid → start time (Linux only); null when npm had gone before we could look
 */
function findParents() {
  const parents = new Map([[process.ppid, processInfo(process.ppid)?.startTime ?? '']])
  if (process.platform !== 'linux' || !isNpmScript()) return parents
  let pid = process.ppid
  for (let level = 0; level < 4; level++) {
    const info = processInfo(pid)
    if (!info) return null
    parents.set(pid, info.startTime)
    if (info.name.startsWith('npm')) return parents // npm names itself `npm start …`
    pid = info.ppid
  }
  return null
}

/**
 * Calls `onGone` once when a parent goes, at most `pollMs` (250 ms) late. Returns a function that ends the watch.
 * @param {() => void} onGone
 */
export function watchParents(onGone, pollMs = 250) {
  const parents = findParents()
  const parentPid = process.ppid
  const isGone = () => {
    if (!parents || process.ppid !== parentPid) return true
    for (const [pid, startTime] of parents) {
      if (process.platform === 'linux' ? processInfo(pid)?.startTime !== startTime : !exists(pid)) return true
    }
    return false
  }
  const timer = setInterval(() => {
    if (!isGone()) return
    clearInterval(timer)
    onGone()
  }, pollMs)
  timer.unref()
  return () => clearInterval(timer)
}
