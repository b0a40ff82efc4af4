import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'

const instanceSchema = z.object({ pid: z.int(), url: z.url(), token: z.string().min(1) })
export type Instance = z.infer<typeof instanceSchema>

const pathIn = (folder: string): string => join(folder, 'instance.json')

/** Tells a second start where the first one listens. Whether it lives is not decided by this file but by the lock. */
export const writeInstance = (folder: string, instance: Instance): Promise<void> =>
  writeFileAtomic(pathIn(folder), JSON.stringify(instance), { mode: 0o600 })

/** @returns null where there is none, or none that can be read. */
export async function readInstance(folder: string): Promise<Instance | null> {
  try {
    return instanceSchema.parse(JSON.parse(await readFile(pathIn(folder), 'utf8')))
  } catch {
    return null
  }
}

export const removeInstance = (folder: string): Promise<void> => rm(pathIn(folder), { force: true })
