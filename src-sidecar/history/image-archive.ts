import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, asError } from '../errors/app-error.ts'

/** Names of files that are being written. They are never shown, and what a crash left of them goes at the next start. */
const temporaryMark = '.stablenew-part'

export interface ArchivedFile {
  readonly path: string
  readonly sizeBytes: number
}

/**
 * Writes images so that a file under its final name is always whole: temp file, fsync, then the name. An existing
 * file is never replaced: the name gets a number instead.
 */
export class ImageArchive {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** @throws AppError `disk`, saying which file and why; nothing is left then. */
  async save(png: Uint8Array, relativePath: string): Promise<ArchivedFile> {
    const wanted = join(this.#root, relativePath)
    const temporary = `${wanted}.${process.pid}${temporaryMark}`
    try {
      await mkdir(dirname(wanted), { recursive: true, mode: 0o700 })
      await writeSynced(temporary, png)
      const path = await nameWithoutReplacing(temporary, wanted)
      await syncFolder(dirname(path))
      return { path, sizeBytes: png.byteLength }
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw new AppError(
        'disk',
        `The image could not be written to ${wanted}: ${asError(error).message}. Is the disk full or read-only?`,
        { cause: error },
      )
    }
  }

  /** Removes a saved file whose row could not be written. */
  async discard(file: ArchivedFile): Promise<void> {
    await rm(file.path, { force: true })
  }

  /** @returns how many leftovers of a crash were removed. */
  async removeLeftovers(): Promise<number> {
    const names = await readdir(this.#root, { recursive: true }).catch(() => [])
    const parts = names.filter((name) => name.endsWith(temporaryMark))
    for (const name of parts) await rm(join(this.#root, name), { force: true })
    return parts.length
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A hard link fails where the name is taken, which a rename does not; file systems without links copy. */
async function nameWithoutReplacing(temporary: string, wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = number === 1 ? wanted : wanted.replace(/(\.[^.]+)$/, `-${number}$1`)
    try {
      await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') throw error
        return copyFile(temporary, path, constants.COPYFILE_EXCL)
      })
      await unlink(temporary)
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** A name survives a power cut only once its folder is on disk; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
