import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesBelow } from '../../scripts/package/archive.ts'
import { debName } from '../../scripts/package/deb.ts'
import { projectFolder } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { builtPackages } from './built-packages.ts'
import { readJson, unpackedPackage } from './unpacked.ts'

const hasDpkg = process.platform === 'linux' && spawnSync('dpkg-deb', ['--version']).status === 0

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  expect(status, `${command} ${args.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

describe.skipIf(!hasDpkg || process.env.STABLENEW_NO_PACKING === '1')('the package for Debian and Ubuntu', () => {
  test('holds what the archive holds, for root, with a command, a menu entry and icons', { timeout: 330_000 }, async () => {
    const [built, unpacked] = [await builtPackages(), await unpackedPackage()]
    const deb = join(built, debName)
    const { version } = readJson<{ version: string }>(projectFolder, 'package.json')
    expect(run('dpkg-deb', '--field', deb, 'Package', 'Version', 'Architecture')).toBe(
      `Package: stablenew\nVersion: ${version.replace('-', '~')}\nArchitecture: amd64\n`,
    )
    const lines = run('dpkg-deb', '--contents', deb).trim().split('\n')
    expect(lines.filter((line) => !/^[-dl]rw[-x]r-[-x]r-[-x] root\/root |^lrwxrwxrwx root\/root /.test(line))).toEqual([])
    const folder = tempDir('deb')
    run('dpkg-deb', '--extract', deb, folder)
    const own = ['install-for-me.sh', 'stablenew.desktop']
    expect(filesBelow(join(folder, 'opt/stablenew'))).toEqual(filesBelow(unpacked).filter((file) => !own.includes(file)))
    expect(readlinkSync(join(folder, 'usr/bin/stablenew'))).toBe('/opt/stablenew/stablenew')
    expect(run(join(folder, 'opt/stablenew/stablenew'), '--version').trim()).toBe(version)
    expect(readFileSync(join(folder, 'usr/share/applications/stablenew.desktop'), 'utf8')).toContain('Exec=stablenew\n')
    expect(existsSync(join(folder, 'usr/share/icons/hicolor/256x256/apps/stablenew.png'))).toBe(true)
  })

  test.skipIf(process.getuid?.() !== 0)('is installed and removed, and leaves nothing', { timeout: 330_000 }, async () => {
    const deb = join(await builtPackages(), debName)
    const system = tempDir('system')
    for (const part of ['updates', 'info', 'triggers']) mkdirSync(join(system, 'var/lib/dpkg', part), { recursive: true })
    for (const file of ['status', 'available']) writeFileSync(join(system, 'var/lib/dpkg', file), '')
    const dpkg = (...args: string[]) =>
      run('dpkg', `--root=${system}`, '--force-depends', '--force-script-chrootless', '--log=/dev/null', ...args)
    dpkg('--install', deb)
    expect(existsSync(join(system, 'opt/stablenew/runtime/node'))).toBe(true)
    dpkg('--remove', 'stablenew')
    expect(readdirSync(system)).toEqual(['var'])
  })
})
