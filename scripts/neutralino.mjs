// Neutralino's binary: where it is, and how it gets there.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodeFor, runChild } from './run-child.mjs'
import { SetupError } from './run-script.mjs'

const fetchMs = 20_000
const oncePerMs = 24 * 60 * 60_000

/** @param {string} root */
function binaryPath(root) {
  const system = { linux: 'linux', darwin: 'mac', win32: 'win' }[String(process.platform)] ?? process.platform
  const cpu = process.arch === 'arm64' && process.platform === 'win32' ? 'x64' : process.arch
  return join(root, 'bin', `neutralino-${system}_${cpu}${process.platform === 'win32' ? '.exe' : ''}`)
}

/**
 * The window's binary: NEUTRALINO_BIN, or the one in bin/; null when there is none.
 * @param {string} root
 */
export function findNeutralino(root) {
  const path = process.env.NEUTRALINO_BIN || binaryPath(root)
  return existsSync(path) ? path : null
}

/** Whether windows can open here. */
export const hasDisplay = () => process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

/**
 * Fetches the binary with `neu update`, for 20 s at most and once a day. In a folder of its own first: half a download is no binary.
 * @param {string} root
 * @param {string} node
 * @param {boolean} again try also where today's try has failed
 * @returns {Promise<string | null>} why there is still none, as the end of a sentence; null when it is there
 */
export async function fetchNeutralino(root, node, again) {
  const stamp = join(root, '.tmp/neu-update-tried')
  if (!again && existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < oncePerMs)
    return 'no binary in bin/, and today’s try to fetch one failed'
  const folder = join(root, '.tmp/neu-update')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(stamp, '')
  copyFileSync(join(root, 'neutralino.config.json'), join(folder, 'neutralino.config.json'))
  console.error('Fetching the Neutralino window (neu update) …')
  try {
    const neu = join(root, 'node_modules/@neutralinojs/neu/bin/neu.js')
    const end = await runChild(node, [neu, 'update'], {
      stdio: 'ignore',
      cwd: folder,
      ownGroup: process.platform !== 'win32',
      wholeGroup: true,
      deathSignal: 'KILL',
      graceMs: 1_000,
      timeoutMs: fetchMs,
    })
    if (end.endedBy && end.endedBy !== 'timeout') throw new SetupError('Start was interrupted.', exitCodeFor(end.endedBy))
    const fetched = binaryPath(folder)
    if (end.exitCode !== 0 || !existsSync(fetched)) return 'neu update could not fetch its binary (no internet?)'
    chmodSync(fetched, 0o755)
    mkdirSync(join(root, 'bin'), { recursive: true })
    for (const name of readdirSync(join(folder, 'bin'))) renameSync(join(folder, 'bin', name), join(root, 'bin', name))
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
