import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import type { PackSummary, Packs } from '../contract/pack.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { type LoadedPack, loadPack, type OpenPack, type PackSource, packNotFound } from './load-pack.ts'
import { isPackFile, packsAmong, partnerOf } from './pack-files.ts'
import { withWildcards } from './wildcard-folders.ts'

/** The packs of two folders: the examples that ship, and the user's own, which is watched. */
export class PackLibrary implements Component {
  readonly name = 'pack library'
  /** Where wildcard lists are looked for, the first first. */
  readonly wildcardFolders: readonly string[]
  readonly #folders: Record<PackSource, string>
  readonly #onChange: () => void
  readonly #closed = deferred<ComponentExit>()
  /** What the list says of packs whose files have not changed since. */
  #known = new Map<string, { stamp: string; summary: PackSummary }>()
  #watcher: FSWatcher | undefined
  #stopped = false

  constructor(exampleFolder: string, userFolder: string, onChange: () => void) {
    this.#folders = { example: exampleFolder, user: userFolder }
    this.wildcardFolders = wildcardFoldersOf(userFolder)
    this.#onChange = onChange
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get userFolder(): string {
    return this.#folders.user
  }

  async start(): Promise<void> {
    if (this.#stopped) return
    const watcher = watch(this.#folders.user, {
      ignoreInitial: true,
      depth: 0,
      awaitWriteFinish: { stabilityThreshold: 150, pollInterval: 50 },
    })
    this.#watcher = watcher
    watcher.on('all', (_event, path) => {
      if (isPackFile(path)) this.#onChange()
    })
    // A folder that can't be watched (too many watches, a network drive) is still listed on every request.
    watcher.on('error', () => {})
    const ready = new Promise<void>((resolve) => watcher.once('ready', () => resolve()))
    // A watcher that is closed first is never ready.
    await Promise.race([ready, this.#closed.promise])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watcher?.close()
    this.#closed.resolve({ name: this.name })
  }

  async list(): Promise<Packs> {
    const before = this.#known
    const known: typeof before = new Map()
    for (const source of ['user', 'example'] as const) {
      const folder = this.#folders[source]
      for (const names of packsAmong(await readdir(folder).catch(() => []))) {
        const key = `${source}/${names[0]}`
        const stamp = await stampOf(folder, names)
        const old = before.get(key)
        const summary = old?.stamp === stamp ? old.summary : await loadPack(folder, names, source).then(summaryOf, () => null)
        if (summary !== null) known.set(key, { stamp, summary })
      }
    }
    this.#known = known
    return { packs: [...known.values()].map(({ summary }) => summary), userFolder: this.#folders.user }
  }

  /**
   * The pack of this id, or of the id of the other file of its pair.
   * @throws AppError `pack_not_found`. A broken pack is returned with its problem and no prompts.
   */
  async open(id: string): Promise<OpenPack> {
    const [source, fileName, ...rest] = id.split('/')
    const known = (source === 'example' || source === 'user') && fileName !== undefined && rest.length === 0
    if (!known || !isPackFile(fileName) || fileName.includes('\\')) throw packNotFound(id)
    return await withWildcards(await loadPackAt(this.#folders[source], fileName, source), this.wildcardFolders)
  }
}

/** The pack that a file belongs to. @throws AppError `pack_not_found` */
export async function loadPackAt(folder: string, fileName: string, source: PackSource): Promise<LoadedPack> {
  const partner = partnerOf(fileName, await readdir(folder).catch(() => []))
  const names = partner === undefined ? [fileName] : packsAmong([fileName, partner])[0]!
  return await loadPack(folder, names, source)
}

/** Where the wildcard lists of packs in `packFolder` are looked for. */
export const wildcardFoldersOf = (packFolder: string): string[] => [
  join(packFolder, 'wildcards'),
  join(dirname(packFolder), 'wildcards'),
]

const summaryOf = ({ summary }: LoadedPack): PackSummary => summary

/** Different whenever a file was written. */
async function stampOf(folder: string, names: readonly string[]): Promise<string> {
  const stats = await Promise.all(names.map((name) => stat(join(folder, name), { bigint: true }).catch(() => null)))
  return stats.map((one, at) => `${names[at]}:${one?.ino}:${one?.size}:${one?.mtimeNs}:${one?.ctimeNs}`).join('|')
}
