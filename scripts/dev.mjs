// npm run dev: Vite's server and the sidecar; the sidecar starts anew when src-sidecar changes. One Ctrl+C ends both.
import { watch } from 'node:fs'
import { join } from 'node:path'
import { runSidecar } from './host-lines.mjs'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'
import { setup } from './setup.mjs'

const settleMs = 200

/** Resolves at the first change of the sidecar's sources, once they have been quiet for 200 ms. @param {AbortSignal} stop */
function sourcesChanged(stop) {
  return new Promise((resolve) => {
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const watcher = watch(join(root, 'src-sidecar'), { recursive: true }, () => {
      clearTimeout(timer)
      timer = setTimeout(() => resolve(true), settleMs)
    })
    stop.addEventListener('abort', () => {
      clearTimeout(timer)
      watcher.close()
    })
  })
}

/**
 * One sidecar and one Vite, until one of them ends or the sources change. Both have ended when it resolves.
 * @param {string} node
 * @param {readonly string[]} args
 * @returns {Promise<number | null>} the exit code; null when both are to start anew
 */
async function round(node, args) {
  const stop = new AbortController()
  /** @type {Promise<unknown> | undefined} */
  let vite
  /** @param {string} url the sidecar's, with its token: vite.config.ts passes `/api` on to it */
  const onReady = (url) => {
    const line = [join(root, 'node_modules/vite/bin/vite.js'), '--port', '5173', '--strictPort', '--clearScreen', 'false']
    const env = { ...process.env, STABLENEW_URL: url }
    vite = runChild(node, line, {
      cwd: root,
      env,
      ownGroup: true,
      deathSignal: 'TERM',
      graceMs: 3_000,
      stop: stop.signal,
    }).finally(() => stop.abort())
  }
  const sidecar = runSidecar(join(root, 'src-sidecar/main.ts'), node, ['--shell', 'none', ...args], {
    onReady,
    stop: stop.signal,
  }).finally(() => stop.abort())
  const unwatch = new AbortController()
  const changed = sourcesChanged(unwatch.signal)
  const first = await Promise.race([changed, sidecar])
  stop.abort()
  const exitCode = await sidecar
  await vite
  if (first !== true && exitCode === 1) {
    console.log('The sidecar ended; it starts again when its sources change.')
    await changed
  }
  unwatch.abort()
  return first === true || exitCode === 1 ? null : exitCode
}

await runScript(import.meta.url, async (argv) => {
  const node = await setup({ ui: false })
  let exitCode = null
  while (exitCode === null) exitCode = await round(node, argv)
  return exitCode
})
