import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { npmCommand } from '../dependencies.mjs'
import { runChild } from '../run-child.mjs'
import { root, SetupError } from '../run-script.mjs'
import { isHost, type Target } from './targets.ts'

/** `node_modules` with the target's native parts, as package-lock.json has them: our own, or one that is installed for it. */
export async function modulesFor(target: Target): Promise<string> {
  if (isHost(target)) return join(root, 'node_modules')
  const folder = join(root, '.tmp/package', `modules-${target.name}`)
  const lock = readFileSync(join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex')
  const stamp = join(folder, 'installed-from')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return join(folder, 'node_modules')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(root, name), join(folder, name))
  const platform = [`--os=${target.os}`, `--cpu=${target.cpu}`]
  const [command, args] = npmCommand()
  const line = [...args, 'ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...platform]
  console.error(`Installing what ${target.name} needs (npm ci) …`)
  const { exitCode } = await runChild(command, line, { cwd: folder, stdio: ['ignore', 2, 2], timeoutMs: 10 * 60_000 })
  if (exitCode !== 0) throw new SetupError(`npm could not install what ${target.name} needs (see above).`)
  writeFileSync(stamp, hash)
  return join(folder, 'node_modules')
}

/** What is loaded from `node_modules` at run time. */
export function packagesFor({ os, cpu }: Target): string[] {
  const libvips = os === 'linux' ? [`@img/sharp-libvips-${os}-${cpu}`] : []
  const sharp = ['sharp', '@img/colour', 'detect-libc', 'sharp/node_modules/semver', `@img/sharp-${os}-${cpu}`, ...libvips]
  return ['better-sqlite3', 'koffi', `@koromix/koffi-${os}-${cpu}`, ...sharp, '@fontsource/inter']
}

const program = /\.(js|cjs|mjs|node|dll)$|\.so[.\d]*$|(^|\/)(package|versions)\.json$|(^|\/)licen[cs]e[^/]*$/i
const font = /^files\/inter-(latin|latin-ext|cyrillic|greek|vietnamese)-600-normal\.woff$/
/** Sources, and the parts of other platforms. */
const left = /^(deps|build|vendor|doc|test)\/|musl|cnoke|\.min\.js$/
/** Bundled; its native part is not. */
const bundled = /^better-sqlite3\/lib\//

/** Copies what one package needs at run time. @returns the files, from `modules` */
export function copyPackage(name: string, modules: string, to: string, { os, cpu }: Target): string[] {
  const from = join(modules, name)
  const files = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => program.test(file) || (name === '@fontsource/inter' && font.test(file)))
    .filter(
      (file) =>
        !left.test(file) &&
        !bundled.test(`${name}/${file}`) &&
        (!file.startsWith('prebuilds/') || file === `prebuilds/${os}-${cpu}.node`),
    )
    .sort()
  for (const file of files) {
    mkdirSync(dirname(join(to, name, file)), { recursive: true })
    copyFileSync(join(from, file), join(to, name, file))
  }
  return files.map((file) => `${name}/${file}`)
}
