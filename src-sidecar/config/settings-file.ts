import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { defaultSettings, type Settings, settingsSchema } from '../contract/settings.ts'
import { AppError } from '../errors/app-error.ts'

/** `settings.json`: validated, versioned, replaced atomically. */
export class SettingsFile {
  readonly path: string
  #current: Settings = defaultSettings

  constructor(folder: string) {
    this.path = join(folder, 'settings.json')
  }

  get current(): Settings {
    return this.#current
  }

  /**
   * Reads the file. A missing one means the defaults; a broken one is set aside under a name of its own.
   * @returns what the user should be told, or null.
   * @throws AppError `settings_broken` where the file can't be read at all, or is of a newer version (it is left alone).
   */
  async load(nowMs: number): Promise<string | null> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw new AppError('settings_broken', `The settings file ${this.path} can't be read: ${error.message}`, { cause: error })
    })
    if (text === null) return null
    const problem = this.#accept(text)
    if (problem === null) return null
    const aside = `${this.path}.broken-${new Date(nowMs).toISOString().replaceAll(':', '-')}`
    await rename(this.path, aside)
    return `The settings file could not be used (${problem}). It was set aside as ${aside}; the defaults are in force.`
  }

  async save(settings: Settings): Promise<void> {
    const checked = settingsSchema.parse(settings)
    await writeFileAtomic(this.path, `${JSON.stringify(checked, null, 2)}\n`, { mode: 0o600 })
    this.#current = checked
  }

  #accept(text: string): string | null {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return `not JSON: ${(error as Error).message}`
    }
    const version = z.object({ version: z.int() }).safeParse(value)
    if (version.success && version.data.version > defaultSettings.version) {
      throw new AppError(
        'settings_broken',
        `The settings file ${this.path} is of version ${version.data.version}, this StableNew knows ${defaultSettings.version}: use the newer StableNew, or another --data-dir.`,
      )
    }
    const parsed = settingsSchema.safeParse(upgraded(value))
    if (!parsed.success) return z.prettifyError(parsed.error).split('\n').join(' ')
    this.#current = parsed.data
    return null
  }
}

/** Version 1 had one backend, without a name. What is no such file is left to the schema. */
function upgraded(value: unknown): unknown {
  const old = z.looseObject({ version: z.literal(1), backend: z.looseObject({ kind: z.string() }) }).safeParse(value)
  if (!old.success) return value
  const { backend, ...rest } = old.data
  return { ...rest, version: 2, backends: [{ id: backend.kind, ...backend }] }
}
