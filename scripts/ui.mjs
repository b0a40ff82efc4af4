// The built UI in resources/ui/, stamped with the hash of what it was built from.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChild } from './run-child.mjs'

const inputs = ['src-ui', 'src-sidecar/contract', 'vite.config.ts', 'svelte.config.js', 'package-lock.json']

/** @param {string} root */
function sourceHash(root) {
  const files = inputs.flatMap((input) => {
    if (!existsSync(join(root, input))) return []
    if (statSync(join(root, input)).isFile()) return [input]
    return readdirSync(join(root, input), { recursive: true }).map((name) => join(input, String(name)))
  })
  const hash = createHash('sha256')
  for (const file of files.filter((name) => statSync(join(root, name)).isFile()).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

/** @param {string} root */
export function isUiBuilt(root) {
  try {
    return readFileSync(join(root, 'resources/ui/.built-from'), 'utf8') === sourceHash(root)
  } catch {
    return false
  }
}

/**
 * Builds the UI beside the old one and puts it in its place whole, so that an interrupted build leaves the old one.
 * @param {string} root
 * @param {string} node
 * @returns {Promise<import('./run-child.mjs').ChildEnd>}
 */
export async function buildUi(root, node) {
  console.error('Building the UI …')
  const hash = sourceHash(root)
  const fresh = join(root, '.tmp/ui-new')
  const old = join(root, '.tmp/ui-old')
  rmSync(fresh, { recursive: true, force: true })
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const end = await runChild(node, [vite, 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'], {
    stdio: ['ignore', 2, 2],
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    deathSignal: 'KILL',
    graceMs: 5_000,
  })
  if (end.exitCode !== 0) return end
  writeFileSync(join(fresh, '.built-from'), hash)
  rmSync(old, { recursive: true, force: true })
  mkdirSync(join(root, 'resources'), { recursive: true })
  if (existsSync(join(root, 'resources/ui'))) renameSync(join(root, 'resources/ui'), old)
  renameSync(fresh, join(root, 'resources/ui'))
  rmSync(old, { recursive: true, force: true })
  return end
}
