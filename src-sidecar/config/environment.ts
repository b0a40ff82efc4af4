import { homedir } from 'node:os'
import envPaths from 'env-paths'

/** The one reader of `process.env`: everything else is handed what it needs. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env

/** Where things lie on this platform (XDG, %APPDATA%, ~/Library), as absolute paths. */
export interface PlatformFolders {
  readonly data: string
  readonly config: string
  readonly cache: string
  readonly log: string
}

export const platformFolders = (): PlatformFolders => envPaths('stablenew', { suffix: '' })

export const homeFolder = (): string => homedir()
