// One set-up at a time in one folder. The lock is a listening socket, which the system takes back however its holder ends.
import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { watchParents } from './parents.mjs'

const waitMs = 15 * 60_000

/** @param {string} root */
function address(root) {
  const id = createHash('sha256')
    .update(`${realpathSync(root)}\n${userInfo().username}`)
    .digest('hex')
    .slice(0, 24)
  if (process.platform === 'linux') return `\0stablenew-setup-${id}` // abstract: no file that could stay behind
  if (process.platform === 'win32') return `\\\\.\\pipe\\stablenew-setup-${id}`
  return join(tmpdir(), `stablenew-setup-${id}.sock`)
}

/** @param {string} path @returns {Promise<import('node:net').Server | null>} null when another process holds it */
function tryListen(path) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) =>
      /** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(path, () => resolve(server))
  })
}

/** On macOS the socket is a file: one that nobody answers is a dead holder's. @param {string} path @returns {Promise<boolean>} */
function isDeadFile(path) {
  if (path.startsWith('\0') || path.startsWith('\\\\')) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket.destroy() === null))
    socket.once('error', (error) => resolve(/** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNREFUSED'))
  })
}

/**
 * Takes the folder's lock, runs `work`, gives it back. `work` gets the lock's descriptor where a child can inherit it (else
 * undefined), so that the folder stays locked until the child has ended too.
 * @template T
 * @param {string} root
 * @param {(lockFd: number | undefined) => Promise<T>} work
 * @returns {Promise<T>}
 * @throws Error when another set-up holds the lock for more than 15 minutes
 */
export async function withSetupLock(root, work) {
  const path = address(root)
  const deadline = Date.now() + waitMs
  const unwatch = watchParents(() => process.exit(143))
  let server = await tryListen(path)
  if (!server) console.error('Another set-up is running in this folder; waiting for it.')
  while (!server) {
    if (Date.now() > deadline)
      throw new Error('Another set-up of this folder was not done within 15 minutes. End it, then start again.')
    if (await isDeadFile(path)) rmSync(path, { force: true })
    else await delay(250)
    server = await tryListen(path)
  }
  unwatch()
  try {
    const fd = /** @type {{ _handle?: { fd?: number } }} */ (/** @type {unknown} */ (server))._handle?.fd
    return await work(process.platform !== 'win32' && fd !== undefined && fd > 2 ? fd : undefined)
  } finally {
    server.close()
  }
}
