import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { asError } from '../errors/app-error.ts'

const identity = z.object({ pid: z.number().int().positive(), startTime: z.string().min(1), bootId: z.string() })

const entry = z.object({
  /** Also in the environment of everything below the guard. */
  id: z.string().min(1),
  /** `intent`: about to be started. `released`: outlives the sidecar, to be adopted by the next one. */
  state: z.enum(['intent', 'running', 'released']),
  role: z.string(),
  command: z.string(),
  level: z.enum(['namespace', 'shim', 'group']),
  runToken: z.string().min(1),
  startedAt: z.string(),
  guard: identity.optional(),
  /** The command itself; its number is also that of its process group. */
  leader: identity.optional(),
  /** Where the guard of a persistent process listens for the next sidecar. */
  socket: z.string().optional(),
  logFile: z.string().optional(),
  /** What its owner needs to find it again: a port. */
  note: z.string().optional(),
  graceMs: z.number().optional(),
})

const content = z.object({
  app: z.literal('StableNew'),
  version: z.literal(1),
  sidecar: identity,
  processes: z.array(entry),
})

export type RegistryEntry = z.infer<typeof entry>
export type RegistryContent = z.infer<typeof content>

/** `process_registry.json`: what runs and how to recognise it, so that a crash of everything can be cleaned up after. */
export class ProcessRegistry {
  readonly #file: string
  readonly #folder: string
  readonly #logger: Logger
  readonly #sidecar: z.infer<typeof identity>
  #entries: RegistryEntry[] = []
  #saving: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(dataDir: string, sidecar: z.infer<typeof identity>, logger: Logger) {
    this.#folder = dataDir
    this.#file = join(dataDir, 'process_registry.json')
    this.#sidecar = sidecar
    this.#logger = logger
  }

  /**
   * What the last run wrote. A file that is not whole or not ours is renamed, named in the log, and counts as empty; half
   * written temporary files go.
   */
  readLast(): RegistryContent | undefined {
    for (const name of listFolder(this.#folder)) {
      if (/^process_registry\.json\.\d+$/.test(name)) rmSync(join(this.#folder, name), { force: true })
    }
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch {
      return undefined
    }
    const parsed = content.safeParse(parseJson(text))
    if (parsed.success) return parsed.data
    const aside = join(this.#folder, `process_registry.broken-${Date.now()}.json`)
    renameSync(this.#file, aside)
    this.#logger.warn({ aside, problem: parsed.error.message }, 'the process registry could not be read and was set aside')
    return undefined
  }

  /** Resolves when all changes so far are on disk. */
  saved(): Promise<void> {
    return this.#saving
  }

  get entries(): readonly RegistryEntry[] {
    return this.#entries
  }

  /** From now on the file is this run's; `released` are the processes that it may adopt. Stale sockets go. */
  begin(released: readonly RegistryEntry[]): Promise<void> {
    this.#entries = [...released]
    const folder = join(this.#folder, 'run')
    const used = new Set(released.map(({ socket }) => socket))
    for (const name of listFolder(folder)) {
      const path = join(folder, name)
      if (name.endsWith('.sock') && !used.has(path)) rmSync(path, { force: true })
    }
    return this.#save()
  }

  /** Replaces the entry with this id or adds it; resolves when it is on disk, or has been found not to go there. */
  put(changed: RegistryEntry): Promise<void> {
    this.#entries = [...this.#entries.filter(({ id }) => id !== changed.id), changed]
    return this.#save()
  }

  /** Only for what is proven to be gone. */
  remove(id: string): Promise<void> {
    this.#entries = this.#entries.filter((entry) => entry.id !== id)
    return this.#save()
  }

  /** One write after another, each of what holds when it begins: a slow disk must not hold up the event loop. */
  #save(): Promise<void> {
    this.#next ??= this.#saving.then(() => {
      this.#next = undefined
      return this.#write()
    })
    this.#saving = this.#next
    return this.#next
  }

  async #write(): Promise<void> {
    const data: RegistryContent = { app: 'StableNew', version: 1, sidecar: this.#sidecar, processes: this.#entries }
    try {
      await mkdir(this.#folder, { recursive: true })
      // No fsync: after a power cut the processes are gone too.
      await writeFileAtomic(this.#file, `${JSON.stringify(data, null, 2)}\n`, { mode: 0o600, fsync: false })
    } catch (thrown) {
      // Containment does not need the file; only the clean-up after a crash of everything at once does.
      this.#logger.error({ err: asError(thrown) }, 'the process registry could not be written')
    }
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
