import { mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { platformFolders } from './environment.ts'
import { foldersFor } from './folders.ts'

/** Node keeps what it compiles in the cache folder. Without one that can be written to it goes on without. */
export function useCodeCache(args: readonly string[]): void {
  const at = args.findIndex((arg) => arg === '--data-dir' || arg.startsWith('--data-dir='))
  const dataDir = args[at] === '--data-dir' ? args[at + 1] : args[at]?.slice('--data-dir='.length)
  try {
    const folder = join(foldersFor(platformFolders(), dataDir).cache, 'code')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    enableCompileCache(folder)
  } catch {
    // The start itself tells what is wrong with the folder.
  }
}
