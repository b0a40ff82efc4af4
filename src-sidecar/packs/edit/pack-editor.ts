import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import type { z } from 'zod'
import type {
  DraftAnswer,
  draftRequestSchema,
  EditablePack,
  newPackRequestSchema,
  SavedPack,
  savePackRequestSchema,
} from '../../contract/pack-edit.ts'
import { AppError, asError } from '../../errors/app-error.ts'
import { findingsOf } from '../describe-pack.ts'
import { type OpenPack, packBroken, parseFiles, versionOf } from '../load-pack.ts'
import { endingOf } from '../pack-files.ts'
import { packJobs, previewJobs } from '../pack-jobs.ts'
import type { PackLibrary } from '../pack-library.ts'
import type { PackFile } from '../validate/validate-pack.ts'
import { withWildcards } from '../wildcard-folders.ts'
import { editedFiles, openEdit } from './edited-files.ts'
import { PackDrafts } from './pack-drafts.ts'
import { checkedName } from './pack-name.ts'

const firstPrompt = `# Prompts are parted by blank lines; neg: starts a line of the negative prompt.

a lighthouse on a cliff at {sunrise|dusk}, storm clouds
neg: people, text
`

/** Edits packs of the user: drafts while one types, then the files, never over what somebody else has changed in them. */
export class PackEditor {
  readonly #packs: PackLibrary
  readonly #drafts: PackDrafts
  readonly #loras: () => readonly string[]

  /** @param loras that the backends list */
  constructor(packs: PackLibrary, draftFolder: string, loras: () => readonly string[]) {
    this.#packs = packs
    this.#loras = loras
    this.#drafts = new PackDrafts(draftFolder)
  }

  /** @throws AppError `pack_not_found`, `pack_broken`, `too_large`. */
  async open(id: string): Promise<EditablePack> {
    const { summary, files, wildcards } = await this.#readable(id)
    const draft = await this.#drafts.read(summary.id)
    const { name, source, files: names } = summary
    const kept = draft && { version: draft.version, edit: draft.edit, savedAtMs: draft.savedAtMs }
    const lists = [...wildcards.keys()].sort().slice(0, 5000)
    return {
      id: summary.id,
      name,
      source,
      files: names,
      version: versionOf(files),
      wildcards: lists,
      ...openEdit(files),
      draft: kept,
    }
  }

  /** What an edit would make, and keeps it; what can't be made of it is told as the problem of the preview. */
  async draft({ packId, version, edit, keep, drawSeed, length }: z.output<typeof draftRequestSchema>): Promise<DraftAnswer> {
    const pack = await this.#packs.open(packId)
    const now = versionOf(pack.files)
    try {
      const base = await this.#baseOf(pack, version)
      if (keep && pack.summary.source === 'user')
        await this.#drafts.write({ id: pack.summary.id, version, edit, savedAtMs: Date.now(), base: base.map(encoded) })
      const files = editedFiles(base, edit)
      const edited = await withWildcards({ ...pack, files, content: parseFiles(files) }, this.#packs.wildcardFolders)
      if (edited.content.problem) throw new AppError('pack_broken', edited.content.problem.message)
      return {
        version: now,
        findings: findingsOf(edited, this.#loras()).slice(0, 200),
        preview: preview(edited, drawSeed, length),
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { version: now, findings: [], preview: { count: null, jobs: [], problem: error.message } }
    }
  }

  /** @throws AppError `conflict` (changed on disk since), `bad_request`, `disk`. */
  async save({ packId, version, edit, overwrite }: z.output<typeof savePackRequestSchema>): Promise<SavedPack> {
    const pack = await this.#packs.open(packId)
    const { summary } = pack
    if (summary.source !== 'user') throw new AppError('bad_request', `"${summary.name}" comes with StableNew. Save it as a copy.`)
    if (versionOf(pack.files) !== version && !overwrite)
      throw new AppError(
        'conflict',
        `The files of "${summary.name}" were changed on disk. Nothing was saved: load them, overwrite them, or save a copy.`,
      )
    const files = editedFiles(await this.#baseOf(pack, version), edit)
    for (const file of files) {
      const before = pack.files.find(({ name }) => name === file.name)
      if (before === undefined || !same(before.bytes, file.bytes)) await this.#write(file, before === undefined)
    }
    await this.#drafts.remove(summary.id)
    return { id: summary.id, version: versionOf(files) }
  }

  async discard(packId: string): Promise<void> {
    await this.#drafts.remove(packId)
  }

  /** @throws AppError `conflict` where there is such a pack, `bad_request` (its name), `disk`. */
  async create({ name, copyOf, version, edit }: z.output<typeof newPackRequestSchema>): Promise<SavedPack> {
    const stem = checkedName(name)
    const files = copyOf === undefined ? [] : await this.#copied(copyOf, version, edit)
    const renamed = files.map(({ name: old, bytes }) => ({ name: `${stem}${endingOf(old)}`, bytes }))
    if (renamed.length === 0) renamed.push({ name: `${stem}.txt`, bytes: new TextEncoder().encode(firstPrompt) })
    const { packs } = await this.#packs.list()
    if (packs.some((pack) => pack.source === 'user' && pack.name.toLowerCase() === stem.toLowerCase()))
      throw new AppError('conflict', `There is a pack "${stem}" already. Choose another name.`)
    for (const file of renamed) await this.#write(file, true)
    return { id: `user/${renamed[0]!.name}`, version: versionOf(renamed) }
  }

  async #copied(
    id: string,
    version: string | undefined,
    edit: z.output<typeof newPackRequestSchema>['edit'],
  ): Promise<readonly PackFile[]> {
    if (edit === undefined || version === undefined) return (await this.#readable(id)).files
    return editedFiles(await this.#baseOf(await this.#packs.open(id), version), edit)
  }

  async #readable(id: string): Promise<OpenPack> {
    const pack = await this.#packs.open(id)
    if (pack.summary.problem !== null) throw packBroken(pack.summary)
    return pack
  }

  /** The files that an edit began with: those of now, or those that its draft has kept. */
  async #baseOf(pack: OpenPack, version: string): Promise<readonly PackFile[]> {
    if (versionOf(pack.files) === version) return pack.files
    const draft = await this.#drafts.read(pack.summary.id)
    if (draft?.version === version) return draft.base.map(decoded)
    throw new AppError(
      'conflict',
      `The files of "${pack.summary.name}" were changed on disk, and what this edit began with is not known. Copy what you need, and load them anew.`,
    )
  }

  /** @param isNew then nothing that is there is written over */
  async #write({ name, bytes }: PackFile, isNew: boolean): Promise<void> {
    const path = join(this.#packs.userFolder, name)
    try {
      if (isNew) await writeFile(path, bytes, { flag: 'wx', mode: 0o600 })
      else await writeFileAtomic(path, Buffer.from(bytes))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
        throw new AppError('conflict', `There is a file ${path} already. Nothing was written over it.`, { cause })
      throw new AppError('disk', `${path} can't be written: ${asError(cause).message}`, { cause })
    }
  }
}

function preview(pack: OpenPack, drawSeed: number, length: number): DraftAnswer['preview'] {
  const jobs = packJobs(pack, { drawSeed, sweeps: [] })
  return { count: String(jobs.count), jobs: previewJobs(jobs, 0, length), problem: null }
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0
const encoded = ({ name, bytes }: PackFile) => ({ name, bytes: Buffer.from(bytes).toString('base64') })
const decoded = ({ name, bytes }: { name: string; bytes: string }): PackFile => ({ name, bytes: Buffer.from(bytes, 'base64') })
