import { sep } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ImageFile, ImageFiles } from './image-files.ts'

/** Rows that are read, and files that are asked for, between two turns of the others. */
export const filesAtOnce = 100

async function* missing(files: ImageFiles): AsyncGenerator<ImageFile[]> {
  for (let after = 0; ; ) {
    const some = files.missingAfter(after, filesAtOnce)
    if (some.length === 0) return
    yield some
    after = some.at(-1)!.id
    await nextTurn()
  }
}

export async function* pathsOfMissing(files: ImageFiles): AsyncGenerator<string[]> {
  for await (const some of missing(files)) yield some.map(({ path }) => path)
}

export async function* missingBelow(files: ImageFiles, folder: string): AsyncGenerator<ImageFile[]> {
  const beginning = folder.endsWith(sep) ? folder : folder + sep
  for await (const some of missing(files)) yield some.filter(({ path }) => path.startsWith(beginning))
}

/** Those of these images that are missing. */
export async function* missingOf(files: ImageFiles, ids: readonly number[]): AsyncGenerator<ImageFile[]> {
  for (let at = 0; at < ids.length; at += filesAtOnce) {
    yield files.of(ids.slice(at, at + filesAtOnce)).filter((one) => one.missing)
    await nextTurn()
  }
}

/** What came until it was aborted. */
export async function all<T>(some: AsyncIterable<readonly T[]>, signal: AbortSignal): Promise<T[]> {
  const found: T[] = []
  for await (const part of some) {
    if (signal.aborted) break
    found.push(...part)
  }
  return found
}
