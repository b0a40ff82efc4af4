import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { appFolder, isPackaged } from './program-path.ts'

/** The one reader of `process.env`: everything else is handed what it needs. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env

/** Where things lie on this platform (XDG, %APPDATA%, ~/Library), as absolute paths. */
export interface PlatformFolders {
  readonly data: string
  readonly config: string
  readonly cache: string
  readonly log: string
}

/** Those of the user; where the package holds a file `portable`, all of it in `data` beside the app. */
export function platformFolders(): PlatformFolders {
  if (!isPackaged || !existsSync(join(appFolder, 'portable'))) return envPaths('stablenew', { suffix: '' })
  const data = join(appFolder, 'data')
  return { data, config: data, cache: join(data, 'cache'), log: join(data, 'logs') }
}

export const homeFolder = (): string => homedir()
