import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { PlatformFolders } from './environment.ts'

/** Every place that StableNew writes to. All folders are for their owner only (mode 0700). */
export interface Folders {
  readonly data: string
  readonly config: string
  readonly cache: string
  readonly log: string
  readonly images: string
  readonly packs: string
  readonly backups: string
}

/** The platform's own folders, or all of them below `dataDir` where one is given. */
export function foldersFor(platform: PlatformFolders, dataDir?: string): Folders {
  const root = dataDir === undefined ? undefined : resolve(dataDir)
  const data = root ?? platform.data
  return {
    data,
    config: root ?? platform.config,
    cache: root ? join(root, 'cache') : platform.cache,
    log: root ? join(root, 'logs') : platform.log,
    images: join(data, 'images'),
    packs: join(data, 'packs'),
    backups: join(data, 'backups'),
  }
}

export function makeFolders(folders: Folders): void {
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 })
}
