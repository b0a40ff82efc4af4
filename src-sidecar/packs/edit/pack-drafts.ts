import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { packEditSchema } from '../../contract/pack-edit.ts'

const draftSchema = z.object({
  id: z.string(),
  /** Of the files that it began with. */
  version: z.string(),
  edit: packEditSchema,
  savedAtMs: z.int(),
  /** Those files, in base64: what it is saved upon, also where they have changed since. */
  base: z.array(z.object({ name: z.string(), bytes: z.string() })),
})
export type Draft = z.infer<typeof draftSchema>

/** Unsaved work on packs, a file for each pack, so that a crash loses nothing of it. */
export class PackDrafts {
  readonly #folder: string
  /** What is under way, so that a late one does not come after a removal. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Null where there is none, or none that can be read. */
  async read(id: string): Promise<Draft | null> {
    await this.#last
    try {
      const draft = draftSchema.parse(JSON.parse(await readFile(this.#path(id), 'utf8')))
      return draft.id === id ? draft : null
    } catch {
      return null
    }
  }

  write(draft: Draft): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      await writeFileAtomic(this.#path(draft.id), JSON.stringify(draft), { mode: 0o600 })
    })
  }

  remove(id: string): Promise<void> {
    return this.#inTurn(() => rm(this.#path(id), { force: true }))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  #path(id: string): string {
    return join(this.#folder, `${createHash('sha256').update(id).digest('hex').slice(0, 32)}.json`)
  }
}
