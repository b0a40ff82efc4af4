import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import yazl from 'yazl'
import { runChild } from '../run-child.mjs'
import { SetupError } from '../run-script.mjs'

/** Every file below a folder, in order, from that folder. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()

/**
 * The same bytes for the same files, whoever packs them: sorted, one time, no owner.
 * @param atS the time of every file, in seconds
 * @param quick hardly compressed, in a tenth of the time
 * @throws SetupError where tar or xz is missing
 */
export async function packTarXz(folder: string, archive: string, atS: number, quick: boolean): Promise<void> {
  const tarFile = `${archive}.part.tar`
  const order = ['--sort=name', '--format=ustar', `--mtime=@${atS}`, '--owner=0', '--group=0', '--numeric-owner']
  // The filter for machine code saves 1 MB of Node.
  const steps: [string, string[]][] = [
    ['tar', [...order, '-cf', tarFile, '-C', dirname(folder), basename(folder)]],
    ['xz', ['-z', '-f', '-k', '-T1', '--x86', `--lzma2=preset=${quick ? '0' : '9e'}`, tarFile]],
    ['mv', [`${tarFile}.xz`, archive]],
  ]
  try {
    for (const [command, args] of steps) {
      const missing = () => new SetupError(`${basename(archive)} needs ${command}: install tar and xz-utils, then try again.`)
      const end = await runChild(command, args, { stdio: ['ignore', 2, 2] }).catch(() => Promise.reject(missing()))
      if (end.exitCode !== 0) throw new SetupError(`${command} failed (see above).`)
    }
  } finally {
    for (const left of [tarFile, `${tarFile}.xz`]) rmSync(left, { force: true })
  }
}

/** The same for a zip. */
export async function packZip(folder: string, archive: string, atS: number, quick: boolean): Promise<void> {
  const utc = new Date(atS * 1000)
  // A zip has local times: those of UTC, wherever it is packed.
  const mtime = new Date(utc.getTime() + utc.getTimezoneOffset() * 60_000)
  const zip = new yazl.ZipFile()
  for (const file of filesBelow(folder)) {
    const options = { mtime, mode: 0o100644, forceDosTimestamp: true, compressionLevel: quick ? 1 : 9 }
    zip.addFile(join(folder, file), `${basename(folder)}/${file}`, options)
  }
  zip.end()
  await pipeline(zip.outputStream, createWriteStream(archive))
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

/** For people: MB as 10⁶ bytes, as file managers show it. */
export const megabytes = (file: string): number => statSync(file).size / 1e6
