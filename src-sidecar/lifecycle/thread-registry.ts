import { transferableAbortSignal } from 'node:util'
import { type Transferable, Worker, type WorkerOptions } from 'node:worker_threads'
import { AppError, asError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason } from './component.ts'
import { deferred } from './deferred.ts'

/** For Diagnostics. */
export interface RunningThread {
  readonly kind: 'worker' | 'loop'
  readonly name: string
  /** One line for people. */
  readonly purpose: string
  readonly startedAtMs: number
}

/** How one ended that was still there at `stop`; `stuck` is still there. */
export interface ThreadEnd {
  readonly kind: 'worker' | 'loop'
  readonly name: string
  readonly how: 'joined' | 'terminated' | 'stuck'
  readonly ms: number
}

interface Entry extends RunningThread {
  readonly ended: Promise<unknown>
  terminate?(): Promise<unknown>
}

/**
 * Starts every worker thread and every long-lived loop, and ends them: signal, join, terminate. A loop can't be
 * terminated, nor can a worker inside of a native call that does not return; these are stuck, and named.
 */
export class ThreadRegistry implements Component {
  readonly name = 'threads'
  readonly closed: Promise<ComponentExit>
  readonly #joinMs: number
  readonly #terminateMs: number
  readonly #running = new Set<Entry>()
  readonly #abort = new AbortController()
  readonly #end = deferred<ComponentExit>()
  readonly #ends: ThreadEnd[] = []
  #stopping: Promise<void> | undefined

  /** Milliseconds; together less than the deadline of the shutdown's step. */
  constructor({ joinMs = 3000, terminateMs = 1000 }: { joinMs?: number; terminateMs?: number } = {}) {
    this.#joinMs = joinMs
    this.#terminateMs = terminateMs
    this.closed = this.#end.promise
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
  }

  list(): RunningThread[] {
    return [...this.#running].map(({ kind, name, purpose, startedAtMs }) => ({ kind, name, purpose, startedAtMs }))
  }

  /** How those ended that `stop` found. */
  get ends(): readonly ThreadEnd[] {
    return this.#ends
  }

  /**
   * Starts a worker thread. It finds the AbortSignal at which it has to end in `workerData.signal`, what `options` have
   * as workerData in `workerData.data`. The signal itself does not keep it running.
   * @param name the system shows its first 15 bytes
   * @throws AppError `shutting_down` after `stop`
   */
  startWorker(name: string, purpose: string, file: URL, options: WorkerOptions = {}): Worker {
    this.#refuse(name)
    const signal = transferableAbortSignal(AbortSignal.any([this.#abort.signal]))
    const worker = new Worker(file, {
      ...options,
      name,
      workerData: { signal, data: options.workerData },
      transferList: [...(options.transferList ?? []), signal as unknown as Transferable],
    })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    this.#add({ kind: 'worker', name, purpose, startedAtMs: Date.now(), ended, terminate: () => worker.terminate() })
    return worker
  }

  /**
   * Starts a loop, which has to end at the signal.
   * @returns what `run` returns
   * @throws AppError `shutting_down` after `stop`
   */
  startLoop<T>(name: string, purpose: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#refuse(name)
    const result = new Promise<T>((resolve) => resolve(run(this.#abort.signal)))
    this.#add({ kind: 'loop', name, purpose, startedAtMs: Date.now(), ended: result.catch(() => {}) })
    return result
  }

  /** @throws AppError `not_stopped` that names what is stuck */
  stop(_reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(force)
    return this.#stopping
  }

  async #stop(force: AbortSignal): Promise<void> {
    this.#abort.abort()
    this.#ends.push(...(await Promise.all([...this.#running].map((entry) => this.#finish(entry, force)))))
    const stuck = this.#ends.filter(({ how }) => how === 'stuck').map(({ kind, name }) => `${kind} ${name}`)
    const error = new AppError('not_stopped', `still running: ${stuck.join(', ')}`, { data: { stuck } })
    this.#end.resolve({ name: this.name, ...(stuck.length > 0 && { error }) })
    if (stuck.length > 0) throw error
  }

  async #finish({ kind, name, ended, terminate }: Entry, force: AbortSignal): Promise<ThreadEnd> {
    const began = performance.now()
    const end = (how: ThreadEnd['how']): ThreadEnd => ({ kind, name, how, ms: Math.round(performance.now() - began) })
    if (await settles(ended, this.#joinMs, force)) return end('joined')
    if (terminate === undefined) return end('stuck')
    void terminate().catch(asError)
    return end((await settles(ended, this.#terminateMs)) ? 'terminated' : 'stuck')
  }

  #refuse(name: string): void {
    if (this.#abort.signal.aborted) throw new AppError('shutting_down', `${name} is not started: StableNew is closing`)
  }

  #add(entry: Entry): void {
    this.#running.add(entry)
    void entry.ended.then(() => this.#running.delete(entry))
  }
}

/** Whether it settles before `ms` have passed or `cut` is aborted; what is ready by then counts. */
async function settles(work: Promise<unknown>, ms: number, cut?: AbortSignal): Promise<boolean> {
  const expiry = Promise.withResolvers<false>()
  const giveUp = () => expiry.resolve(false)
  const timer = setTimeout(giveUp, cut?.aborted ? 50 : ms)
  cut?.addEventListener('abort', giveUp)
  try {
    return await Promise.race([work.then(() => true), expiry.promise])
  } finally {
    clearTimeout(timer)
    cut?.removeEventListener('abort', giveUp)
  }
}
