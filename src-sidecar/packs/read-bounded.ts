import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** The bytes of a file. @throws Error where it is no file, or has more than `maxBytes`; it is not read then. */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  // A pipe without a writer would hold the opening, and with it a thread, for good.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new Error('This is not a file.')
    if (stat.size > maxBytes)
      throw new Error(
        `This file has ${Math.round(stat.size / 2 ** 20)} MB; one of its kind has at most ${maxBytes / 2 ** 20} MB. Split it.`,
      )
    return await file.readFile()
  } finally {
    await file.close()
  }
}
