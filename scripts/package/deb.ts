import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { runChild } from '../run-child.mjs'
import { root, SetupError } from '../run-script.mjs'
import { filesBelow } from './archive.ts'

export const debName = 'stablenew-linux-x64.deb'
const installedIn = 'opt/stablenew'
const iconSizes = [16, 32, 48, 64, 128, 256, 512]

/**
 * The folder of the Linux package as a Debian package: in /opt, with a command, a menu entry and its icons. No script of it runs at
 * installation or removal. The same bytes for the same files.
 * @param atS the time of every file, in seconds
 * @param quick not compressed
 * @returns false where there is no dpkg-deb
 * @throws SetupError where it fails
 */
export async function packDeb(folder: string, archive: string, atS: number, quick: boolean): Promise<boolean> {
  const stage = `${archive}.part`
  rmSync(stage, { recursive: true, force: true })
  try {
    cpSync(folder, join(stage, installedIn), { recursive: true })
    // Of the folder that can lie anywhere.
    for (const file of ['install-for-me.sh', 'stablenew.desktop']) rmSync(join(stage, installedIn, file))
    const put = (to: string, write: (path: string) => void) => {
      mkdirSync(dirname(join(stage, to)), { recursive: true })
      write(join(stage, to))
    }
    put('usr/bin/stablenew', (path) => symlinkSync(`/${installedIn}/stablenew`, path))
    put('usr/share/applications/stablenew.desktop', (path) => copyFileSync(join(folder, 'stablenew.desktop'), path))
    for (const size of iconSizes)
      put(`usr/share/icons/hicolor/${size}x${size}/apps/stablenew.png`, (path) =>
        copyFileSync(join(folder, `resources/icons/icon-${size}.png`), path),
      )
    put('usr/share/doc/stablenew/copyright', (path) => copyFileSync(join(folder, 'LICENSE'), path))
    const files = filesBelow(stage)
    const inKilobytes = files.reduce((sum, file) => sum + Math.ceil(statSync(join(stage, file)).size / 1024), 0)
    put('DEBIAN/control', (path) => writeFileSync(path, control(inKilobytes)))
    await setModes(stage)
    return await build(stage, archive, atS, quick)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

function control(inKilobytes: number): string {
  const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const fields = {
    Package: 'stablenew',
    // A pre-release comes before its release.
    Version: String(version).replace('-', '~'),
    Architecture: 'amd64',
    Maintainer: 'The StableNew authors <stablenew@invalid>',
    'Installed-Size': String(inKilobytes),
    Depends: 'libc6 (>= 2.28), libstdc++6, libgcc-s1',
    Recommends: 'libwebkit2gtk-4.1-0 | chromium | google-chrome-stable',
    Section: 'graphics',
    Priority: 'optional',
    Description: description,
  }
  return `${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')}\n`
}

/** As they would be on a system with an open umask: readable for everybody, programs still programs. */
async function setModes(stage: string): Promise<void> {
  const { exitCode } = await runChild('chmod', ['-R', 'u=rwX,go=rX', stage], { stdio: ['ignore', 2, 2] })
  if (exitCode !== 0) throw new SetupError('The files of the Debian package could not be made readable (see above).')
}

async function build(stage: string, archive: string, atS: number, quick: boolean): Promise<boolean> {
  const compression = quick ? ['-Znone'] : ['-Zxz', '-z9', '-Sextreme']
  const line = ['--root-owner-group', ...compression, '--build', stage, archive]
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(atS) }
  const end = await runChild('dpkg-deb', line, { stdio: ['ignore', 'ignore', 2], env }).catch(() => null)
  if (end === null) return false
  if (end.exitCode !== 0) throw new SetupError(`${basename(archive)}: dpkg-deb failed (see above).`)
  return true
}
