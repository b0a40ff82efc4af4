import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import type { Pack, PackProblem, PackSummary, Packs } from '../contract/pack.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { parseTsv } from './formats/parse-tsv.ts'
import { type ParsedPack, parsePack } from './parse-pack.ts'

/** A pack is text that somebody wrote; what is larger is something else, and would only fill the memory. */
const maxPackBytes = 16 * 1024 * 1024

type Source = PackSummary['source']

/** The packs of two folders: the examples that ship, and the user's own, which is watched. Nothing is cached. */
export class PackLibrary implements Component {
  readonly name = 'pack library'
  readonly #folders: Record<Source, string>
  readonly #onChange: () => void
  readonly #closed = deferred<ComponentExit>()
  #watcher: FSWatcher | undefined
  #stopped = false

  constructor(exampleFolder: string, userFolder: string, onChange: () => void) {
    this.#folders = { example: exampleFolder, user: userFolder }
    this.#onChange = onChange
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
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
      if (isPack(path)) this.#onChange()
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
    const packs = [...(await this.#listFolder('user')), ...(await this.#listFolder('example'))]
    return { packs, userFolder: this.#folders.user }
  }

  /** @throws AppError `pack_not_found`. A broken pack is returned with its problem and no prompts. */
  async get(id: string): Promise<Pack> {
    const [source, fileName, ...rest] = id.split('/')
    const known = (source === 'example' || source === 'user') && fileName !== undefined && rest.length === 0 && isPack(fileName)
    if (!known || fileName.includes('\\')) throw notFound(id)
    return await readPack(join(this.#folders[source], fileName), source, fileName)
  }

  async #listFolder(source: Source): Promise<PackSummary[]> {
    const folder = this.#folders[source]
    const names = await readdir(folder).catch(() => [])
    const packs: PackSummary[] = []
    for (const fileName of names.filter(isPack).sort((a, b) => a.localeCompare(b))) {
      const pack = await readPack(join(folder, fileName), source, fileName).catch(() => null)
      if (pack !== null) packs.push(summary(pack))
    }
    return packs
  }
}

const parsers: Readonly<Record<string, (bytes: Uint8Array) => ParsedPack>> = { '.txt': parsePack, '.tsv': parseTsv }

const ending = (path: string): string => extname(path).toLowerCase()

const isPack = (path: string): boolean => Object.hasOwn(parsers, ending(path))

const notFound = (id: string): AppError =>
  new AppError('pack_not_found', `There is no pack "${id}". It may have been renamed or deleted.`)

const summary = ({ prompts: _, ...rest }: Pack): PackSummary => rest

/** Read by its ending, as text where that is unknown. @throws AppError `pack_not_found` where there is no such file. */
export async function readPack(path: string, source: Source, fileName: string): Promise<Pack> {
  const base = { id: `${source}/${fileName}`, name: fileName.slice(0, -extname(fileName).length), source, path }
  const brokenPack = (problem: PackProblem): Pack => ({ ...base, promptCount: 0, prompts: [], problem })
  let bytes: Uint8Array
  try {
    bytes = await readBounded(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(path)
    return brokenPack({ line: null, message: asError(error).message })
  }
  const { prompts, problem } = (parsers[ending(fileName)] ?? parsePack)(bytes)
  return problem ? brokenPack(problem) : { ...base, promptCount: prompts.length, prompts, problem: null }
}

async function readBounded(path: string): Promise<Uint8Array> {
  // A pipe without a writer would hold the opening, and with it a thread, for good.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new Error('This is not a file.')
    if (stat.size > maxPackBytes)
      throw new Error(`This file has ${Math.round(stat.size / 2 ** 20)} MB; a pack has at most ${maxPackBytes / 2 ** 20} MB.`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}
