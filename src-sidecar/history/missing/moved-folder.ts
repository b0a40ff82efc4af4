import { stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { picturesBelow } from '../import/pictures-below.ts'
import type { ImageFile } from './image-files.ts'

/** A folder that was moved: finds where its files are now. */
export class MovedFolder {
  readonly #from: string
  readonly #to: string
  readonly #signal: AbortSignal
  #byName: Promise<Map<string, string[]>> | undefined

  constructor(from: string, to: string, signal: AbortSignal) {
    this.#from = from
    this.#to = to
    this.#signal = signal
  }

  /**
   * The file of the same size at the same place below the new folder, else the only one with its name and size there. Null where
   * there is none, or several could be it.
   */
  async placeOf({ path, sizeBytes }: Pick<ImageFile, 'path' | 'sizeBytes'>): Promise<string | null> {
    const same = join(this.#to, relative(this.#from, path))
    if (await hasSize(same, sizeBytes)) return same
    this.#byName ??= this.#read()
    const named = (await this.#byName).get(basename(path)) ?? []
    const fitting: string[] = []
    for (const one of named) if (await hasSize(one, sizeBytes)) fitting.push(one)
    return fitting.length === 1 ? fitting[0]! : null
  }

  async #read(): Promise<Map<string, string[]>> {
    const byName = new Map<string, string[]>()
    for await (const path of picturesBelow(this.#to, this.#signal, () => {})) {
      const known = byName.get(basename(path))
      if (known === undefined) byName.set(basename(path), [path])
      else known.push(path)
    }
    return byName
  }
}

const hasSize = async (path: string, bytes: number): Promise<boolean> =>
  await stat(path).then(
    (stats) => stats.isFile() && stats.size === bytes,
    () => false,
  )
