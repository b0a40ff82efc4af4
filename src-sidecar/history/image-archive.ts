import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { AppError, asError } from '../errors/app-error.ts'
import type { WriteTarget } from '../store/storage-fault.ts'
import { isMountPoint, makeTarget, temporaryMark, temporaryName, writeSynced } from '../store/write-target.ts'

export interface ArchivedFile {
  readonly path: string
  readonly sizeBytes: number
}

/** Waits for a piece of work, so long as is right. @throws AppError `timeout`; the work goes on */
export type Within = <T>(what: string, work: Promise<T>) => Promise<T>

/**
 * Writes images so that a file under its final name is always whole: temp file, fsync, then the name. An existing
 * file is never replaced: the name gets a number instead.
 */
export class ImageArchive {
  readonly #root: string
  readonly #within: Within
  /** Whether the root is a disk of its own; undefined until it was seen, and then it is not made again: where it has gone, its drive has. */
  #isMounted: boolean | undefined

  /** @param within gives up a write that takes too long */
  constructor(root: string, within: Within = (_what, work) => work) {
    this.#root = root
    this.#within = within
  }

  /**
   * @param record writes down that the image is there; false where it did not, and then nothing is kept. Until it has
   * returned, a second file beside the image says that nobody knows of it yet, so that a crash leaves no image without a row.
   * @throws AppError `disk`, saying which file and why, its `data.target` a `WriteTarget`; or what `record` throws. Nothing is left then.
   */
  async save(png: Uint8Array, relativePath: string, record: (file: ArchivedFile) => boolean = () => true): Promise<ArchivedFile> {
    const wanted = join(this.#root, relativePath)
    let isGivenUp = false
    try {
      const save = this.#save(png, wanted, (file) => !isGivenUp && record(file))
      return await this.#within(`Writing ${wanted}`, save)
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'timeout')) throw error
      // Should it be written after all, nobody knows of it.
      isGivenUp = true
      throw this.#unwritten(png, wanted, error)
    }
  }

  #unwritten(png: Uint8Array, wanted: string, cause: unknown): AppError {
    const message = `The image could not be written to ${wanted}: ${asError(cause).message}. Is the disk full or read-only?`
    return new AppError('disk', message, {
      cause,
      data: { target: this.#target(png, wanted) },
    })
  }

  #target(png: Uint8Array, wanted: string): WriteTarget {
    return { root: this.#root, isMounted: this.#isMounted ?? false, folder: dirname(wanted), bytes: png.byteLength }
  }

  async #save(png: Uint8Array, wanted: string, record: (file: ArchivedFile) => boolean): Promise<ArchivedFile> {
    const temporary = temporaryName(wanted)
    let path: string | undefined
    try {
      if (this.#isMounted === undefined) await mkdir(this.#root, { recursive: true, mode: 0o700 })
      this.#isMounted ??= await isMountPoint(this.#root)
      await makeTarget(this.#target(png, wanted))
      await writeSynced(temporary, png)
      path = await nameWithoutReplacing(temporary, wanted)
      await syncFolder(dirname(path))
    } catch (error) {
      await remove(path)
      await remove(temporary)
      throw this.#unwritten(png, wanted, error)
    }
    const file = { path, sizeBytes: png.byteLength }
    let recorded = false
    try {
      recorded = record(file)
    } finally {
      if (!recorded) await remove(path)
      await remove(temporary)
    }
    return file
  }

  /**
   * Removes what a crash has left: half-written files, and whole ones that were not recorded yet.
   * @param isRecorded whether somebody knows of the image at this path.
   * @returns how many images were cut off so.
   */
  async removeLeftovers(isRecorded: (path: string) => boolean = () => true): Promise<number> {
    const names = await readdir(this.#root, { recursive: true }).catch(() => null)
    if (names === null) return 0
    this.#isMounted ??= await isMountPoint(this.#root)
    const parts = names.filter(isLeftover).map((name) => join(this.#root, name))
    for (const part of parts) {
      for (const path of await namedAfter(part)) if (!isRecorded(path)) await remove(path)
      await remove(part)
    }
    return parts.length
  }
}

/** A temporary file, and not one that another run is writing into the same folder right now: its name holds who does. */
function isLeftover(name: string): boolean {
  if (!name.endsWith(temporaryMark)) return false
  const pid = Number(name.match(/\.(\d+)\.stablenew-part$/)?.[1])
  return !pid || pid === process.pid || !isRunning(pid)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const remove = async (path: string | undefined): Promise<void> => {
  if (path !== undefined) await rm(path, { force: true }).catch(() => {})
}

/** The images that were made of this temporary file: next to it, with its name (and perhaps a number), and its bytes. */
async function namedAfter(part: string): Promise<string[]> {
  const { dir, base } = parse(part)
  const { name, ext } = parse(base.replace(/\.\d+\.stablenew-part$/, ''))
  const bytes = await readFile(part).catch(() => null)
  const found = []
  for (const other of await readdir(dir).catch(() => [])) {
    if (!other.startsWith(name) || !other.endsWith(ext) || !/^(-\d+)?$/.test(other.slice(name.length, other.length - ext.length)))
      continue
    if (bytes?.equals(await readFile(join(dir, other)))) found.push(join(dir, other))
  }
  return found
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
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** A name survives a power cut only once its folder is on disk; Windows has no such call and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
