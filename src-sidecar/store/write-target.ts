import { randomBytes } from 'node:crypto'
import { mkdir, open, realpath, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { WriteTarget } from './storage-fault.ts'

/** Names of files that are being written. They are never shown, and what a crash left of them goes at the next start. */
export const temporaryMark = '.stablenew-part'
/** The name of one for this path; it holds who writes it. */
export const temporaryName = (path: string): string => `${path}.${process.pid}${temporaryMark}`

/** Whether another disk begins at this folder. @throws what the system says */
export async function isMountPoint(folder: string): Promise<boolean> {
  const path = await realpath(folder)
  const [own, above] = await Promise.all([stat(path), stat(dirname(path))])
  return own.dev !== above.dev
}

/** Makes the folders below the root, and never the root itself: a drive that is gone must not be written beside. @throws what the system says */
export async function makeTarget({ root, isMounted, folder }: WriteTarget): Promise<void> {
  if (isMounted && !(await isMountPoint(root))) throw Object.assign(new Error('its drive is not mounted'), { code: 'ENODEV' })
  let path = root
  for (const name of relative(root, folder).split(sep).filter(Boolean)) {
    path = join(path, name)
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Bytes on the disk. @throws what the system says */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** More than the image itself: its name and its row want room too. */
const spareBytes = 256 * 1024

/** Writes as much as is wanted there, really, and takes it away again. @throws what the system says */
export async function probeTarget(target: WriteTarget): Promise<void> {
  await makeTarget(target)
  const path = temporaryName(join(target.folder, '.stablenew-probe'))
  try {
    // A disk that compresses would take any number of zeros.
    await writeSynced(path, randomBytes(target.bytes + spareBytes))
  } finally {
    await rm(path, { force: true }).catch(() => {})
  }
}

/** What an ordinary user has left on the disk of this folder; null where it does not say. */
export async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return null
  }
}
