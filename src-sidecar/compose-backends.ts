import { join } from 'node:path'
import type { Backend } from './backends/backend.ts'
import type { BackendPool } from './backends/backend-pool.ts'
import { findInstalled } from './backends/find-installed.ts'
import { IdleMemory } from './backends/idle-memory.ts'
import { usualPlaces } from './backends/installed/usual-places.ts'
import { isTaken } from './backends/listening-port.ts'
import { readLog } from './backends/read-log.ts'
import type { BackendLog, BackendLogQuery } from './contract/backend-log.ts'
import type { AppEvent } from './contract/events.ts'
import type { FoundBackends } from './contract/found-backend.ts'
import type { Paused } from './contract/queue-request.ts'
import type { BackendSettings } from './contract/settings.ts'
import { AppError, asError } from './errors/app-error.ts'
import type { QueueProcessor } from './jobs/queue-processor.ts'
import type { Logger } from './logging/logger.ts'

/** For a click: what has not been found by then is not in a usual place. */
const searchMs = 5000
/** A server may be slow to answer while it moves gigabytes. */
const freeMemoryMs = 60_000

/**
 * Looks for servers installed on this machine. One search at a time, for it reads thousands of folders.
 * @param backends of the settings: their ports are not proposed for another one
 */
export function backendFinder(
  home: string,
  env: Readonly<Record<string, string | undefined>>,
  backends: () => readonly BackendSettings[],
): () => Promise<FoundBackends> {
  const { platform } = process
  let searching: Promise<FoundBackends> | undefined
  const search = () =>
    findInstalled({
      roots: usualPlaces(home, platform, env),
      platform,
      isTaken: async (port) => portsOf(backends()).includes(port) || (await isTaken(`http://127.0.0.1:${port}`)),
      signal: AbortSignal.timeout(searchMs),
    })
  return () => {
    searching ??= search().finally(() => {
      searching = undefined
    })
    return searching
  }
}

const portsOf = (backends: readonly BackendSettings[]): number[] =>
  backends.flatMap((one) => (one.kind === 'draft' ? [] : Number(new URL(one.url).port)))

/** Reads what a backend has said; its log is named by its id. */
export const backendLogs =
  (folder: string) =>
  (id: string, { lines, after }: BackendLogQuery): Promise<BackendLog> =>
    readLog(join(folder, `backend-${id}.log`), lines, after)

/** Has one of the backends give its memory back. @throws AppError `not_found`, and as `Backend.freeMemory` */
export const memoryFreer =
  (pool: Pick<BackendPool, 'all'>) =>
  async (id: string, over?: AbortSignal): Promise<boolean> => {
    const backend = pool.all.find(({ status }) => status.id === id)
    if (backend === undefined) throw new AppError('not_found', `There is no backend "${id}", or it is switched off.`)
    const late = AbortSignal.timeout(freeMemoryMs)
    return await backend.freeMemory(over ? AbortSignal.any([over, late]) : late)
  }

/** One that can't does not keep the others from it. */
export async function freeAll({ all }: Pick<BackendPool, 'all'>): Promise<Paused['freed']> {
  const free = async (backend: Backend) => {
    const backendId = backend.status.id
    try {
      return { backendId, freed: await backend.freeMemory(AbortSignal.timeout(freeMemoryMs)), problem: null }
    } catch (error) {
      return { backendId, freed: false, problem: asError(error).message }
    }
  }
  return await Promise.all(all.map(free))
}

export interface IdleMemoriesOptions {
  readonly pool: Pick<BackendPool, 'all'>
  readonly processor: Pick<QueueProcessor, 'progress'>
  /** Without work, in milliseconds; null: never. As it is now. */
  readonly afterMs: () => number | null
  readonly logger: Logger
}

/** Each backend gives its memory back when it has had no job for a while. Hears the app's events; `changed` where `afterMs` is another. */
export function idleMemories({ pool, processor, afterMs, logger }: IdleMemoriesOptions) {
  const memories = new Map<string, IdleMemory>()
  /** Which backend a job was begun on. */
  const places = new Map<number, string>()
  const free = memoryFreer(pool)
  const of = (id: string): IdleMemory => {
    const memory = memories.get(id) ?? new IdleMemory({ afterMs, free: (over) => free(id, over), logger })
    memories.set(id, memory)
    return memory
  }
  return {
    hear(event: AppEvent): void {
      if (event.type === 'progress') {
        places.set(event.progress.jobId, event.progress.backendId)
        of(event.progress.backendId).busy(true)
      } else if (event.type === 'job' && event.job.state !== 'running') {
        const id = places.get(event.job.id)
        places.delete(event.job.id)
        // The next job may have begun before the last one was saved.
        if (id !== undefined) of(id).busy(processor.progress.some(({ backendId }) => backendId === id))
      }
    },
    changed(): void {
      for (const memory of memories.values()) memory.changed()
    },
    async stop(): Promise<void> {
      await Promise.all([...memories.values()].map((memory) => memory.stop()))
    },
  }
}
