// Runs the Neutralino window. Its page starts the sidecar, which ends when the window's process has gone.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { processInfo } from './parents.mjs'
import { runChild } from './run-child.mjs'

/** @type {NodeJS.Signals[]} */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const sidecarEndMs = 35_000

/**
 * The window's environment. Where no session bus runs, GTK would start one that stays when we have gone (dbus-launch,
 * dbus-daemon, at-spi): there it is told that there is none.
 */
function windowEnvironment() {
  const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR } = process.env
  const hasBus = DBUS_SESSION_BUS_ADDRESS || (XDG_RUNTIME_DIR && existsSync(join(XDG_RUNTIME_DIR, 'bus')))
  return hasBus || process.platform !== 'linux'
    ? process.env
    : { ...process.env, DBUS_SESSION_BUS_ADDRESS: 'disabled:', NO_AT_BRIDGE: '1' }
}

/** The sidecar below the window's process. @param {number} windowPid @param {string} program */
function findSidecar(windowPid, program) {
  if (process.platform !== 'linux') return null
  for (const name of readdirSync('/proc')) {
    const info = /^\d+$/.test(name) ? processInfo(Number(name)) : null
    if (info?.ppid !== windowPid) continue
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(program)) return info
    } catch {
      // gone meanwhile
    }
  }
  return null
}

/** Whether this very process, and not a later one with its number, is there. @param {NonNullable<ReturnType<typeof processInfo>>} sidecar */
const isAlive = (sidecar) => processInfo(sidecar.pid)?.startTime === sidecar.startTime

/**
 * Runs the window until it and its sidecar have ended.
 * @param {import('./open-app.mjs').InstalledApp} app
 * @param {string} binary
 * @param {readonly string[]} args for the sidecar
 * @returns {Promise<{ exitCode: number, opened: boolean, lastLine: string }>} `opened`: its page got as far as the sidecar
 */
export async function runWindow({ root, node, program, packaged = false }, binary, args) {
  /** @type {ReturnType<typeof processInfo>} */
  let sidecar = null
  /** @type {number | undefined} */
  let windowPid
  let lastLine = ''
  const look = () => {
    if (windowPid !== undefined && !(sidecar && isAlive(sidecar))) sidecar = findSidecar(windowPid, program) ?? sidecar
  }
  const timer = setInterval(look, 1_000)
  const onSignal = () => look()
  for (const signal of signals) process.prependListener(signal, onSignal)
  try {
    const packed = `--sidecar=${encodeURIComponent(JSON.stringify({ node, program, args }))}` // one word: Neutralino reads `--port=…` and others itself
    // In the package they are in one file, beside the window's program.
    const place = packaged ? [] : ['--load-dir-res', `--path=${root.replaceAll('\\', '/')}`]
    const { exitCode, endedBy } = await runChild(binary, [...place, packed], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: root,
      env: windowEnvironment(),
      ownGroup: process.platform !== 'win32',
      deathSignal: 'KILL',
      graceMs: 5_000,
      onStart: (child) => {
        windowPid = child.pid
        child.stderr?.setEncoding('utf8').on('data', (text) => {
          lastLine = text.trim().split('\n').at(-1) || lastLine
        })
      },
    })
    const opened = sidecar !== null
    if (sidecar) await untilGone(sidecar)
    return { exitCode: endedBy ? 0 : exitCode, opened, lastLine }
  } finally {
    clearInterval(timer)
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Waits for the sidecar's end, then kills it by identity. @param {NonNullable<ReturnType<typeof processInfo>>} sidecar */
async function untilGone(sidecar) {
  const deadline = Date.now() + sidecarEndMs
  while (isAlive(sidecar)) {
    if (Date.now() > deadline) {
      process.kill(sidecar.pid, 'SIGKILL')
      return
    }
    await delay(50)
  }
}
