import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LearningRecords } from '../contract/learning.ts'
import { AppError, asError } from '../errors/app-error.ts'

/**
 * Writes a whole file or none: a temporary one first, then its name.
 * @returns its path: `stablenew-learning-<date>.json`
 * @throws AppError `disk`.
 */
export async function writeRecords(folder: string, records: LearningRecords, nowMs: number): Promise<string> {
  const path = join(folder, `stablenew-learning-${new Date(nowMs).toISOString().replaceAll(':', '-')}.json`)
  const temporary = `${path}.part`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify(records))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    return path
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    const why = asError(error).message
    throw new AppError('disk', `The records could not be written to ${path}: ${why}. Is the disk full or read-only?`, {
      cause: error,
    })
  }
}
