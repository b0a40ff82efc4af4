import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Whether this Node runs TypeScript files as they are: 22.18, 23.6 and later. @param {string} version such as `20.20.2` */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)
}

/**
 * The Node that runs StableNew: the one in node_modules, else the current one if it is new enough, else null.
 * @param {string} root
 */
export function findNode(root) {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const bundled = join(
    root,
    'node_modules',
    `node-${system}-${process.arch}`,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  if (existsSync(bundled)) return bundled
  return runsTypeScript(process.versions.node) ? process.execPath : null
}
