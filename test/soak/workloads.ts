import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { LaunchedSidecar } from '../helpers/launched-sidecar.ts'

/** Healthy work of one kind. */
export interface Workload {
  readonly name: string
  readonly stepMs: number
  /** What each job asks for; absent: there are none. */
  readonly job?: { readonly images: number; readonly settings: { steps: number; width: number; height: number } }
  /** Pages that come and go all the time. */
  readonly pages: boolean
}

const size = (side: number, steps: number) => ({ steps, width: side, height: side })

export const workloads: readonly Workload[] = [
  { name: 'idle', stepMs: 40, pages: false },
  { name: 'busy', stepMs: 40, job: { images: 2, settings: size(512, 10) }, pages: false },
  { name: 'big images', stepMs: 250, job: { images: 1, settings: size(1536, 8) }, pages: false },
  { name: 'many small jobs', stepMs: 20, job: { images: 1, settings: size(64, 3) }, pages: false },
  { name: 'pages come and go', stepMs: 60, job: { images: 1, settings: size(384, 8) }, pages: true },
]

/** Keeps the queue filled, and pages coming and going, until the signal. */
export async function work(sidecar: LaunchedSidecar, { job, pages }: Workload, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (job !== undefined) {
      const { pendingTotal } = await sidecar.get<Queue>('/api/queue')
      if (pendingTotal < 5) await sidecar.queue('example/tiny worlds.txt', job)
    }
    if (pages) await visit(sidecar, signal)
    await sleep(500, undefined, { signal }).catch(() => {})
  }
}

/** Five pages that fetch what a page fetches, listen for a second, and go. */
async function visit(sidecar: LaunchedSidecar, signal: AbortSignal): Promise<void> {
  const gone = new AbortController()
  const streams = Array.from({ length: 5 }, async () => {
    const answer = await sidecar.request('/api/events', { signal: gone.signal })
    for await (const _ of answer.body ?? []) if (gone.signal.aborted) break
  })
  for (const path of ['/api/status', '/api/queue', '/api/packs', '/api/images?limit=50', '/api/diagnostics'])
    await (await sidecar.request(path)).text()
  await sleep(1000, undefined, { signal }).catch(() => {})
  gone.abort()
  await Promise.allSettled(streams)
}
