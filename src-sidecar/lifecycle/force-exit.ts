import { Worker } from 'node:worker_threads'
import { AppError, asError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason } from './component.ts'
import { deferred } from './deferred.ts'
import {
  BEAT,
  CLOSING,
  type ForceExitNotes,
  type ForceExitSetup,
  flagBytes,
  noNotes,
  READY,
  STOP,
  slotBytes,
  writeNotes,
} from './force-exit-shared.ts'

export type { ForceExitNotes, Guard, NativeExit } from './force-exit-shared.ts'

export interface ForceExitOptions
  extends Pick<ForceExitSetup, 'runId' | 'appVersion' | 'logFile' | 'reportFile' | 'nativeUrl' | 'watchStdin' | 'parentPid'> {
  /** `force-exit-worker.ts`, or what it was bundled into. */
  readonly workerFile: string
  /** Spares the thread from stripping types: 10 MB and 50 ms. */
  readonly compileCacheDir: string
  /** From the beginning of a shutdown, or of what should have begun one. Default 30,000. */
  readonly closingLimitMs?: number
  /** Without a turn of the main loop. Default 30,000. */
  readonly silentLimitMs?: number
  /** From `start` to `ready`, in which silence has no limit of its own; absent: what is watched is ready. */
  readonly startLimitMs?: number
  /** Default 250. */
  readonly tickMs?: number
}

const limitMs = 30_000
/** An empty thread needs 10 MB, most of it outside of these. */
const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 }

/**
 * Ends the process with 75 when its start or shutdown hangs or its main thread is stopped, from a thread that needs neither. The
 * guards are told to kill at once, and what hung is written to `shutdown.log` and `last-shutdown.json`.
 *
 * Stopped last of all, and not before `start` has settled: Node aborts when it exits while a thread loads a native module.
 */
export class ForceExit implements Component {
  readonly name = 'force-exit'
  readonly closed: Promise<ComponentExit>
  readonly #options: ForceExitOptions
  readonly #flags = new Int32Array(new SharedArrayBuffer(flagBytes))
  readonly #shared = new SharedArrayBuffer(2 * slotBytes)
  readonly #end = deferred<ComponentExit>()
  #notes = noNotes
  #worker: Worker | undefined
  #heart: NodeJS.Timeout | undefined
  #started: Promise<void> | undefined

  constructor(options: ForceExitOptions) {
    this.#options = options
    this.closed = this.#end.promise
  }

  /**
   * Resolves when the thread watches; where there is a `startLimitMs`, it has its native calls at `ready` or a little later.
   * @throws AppError `internal` when it can't be started, or has no native calls; in the second case it watches all the
   * same, but the exit code will be 137 and guards learn of the end by the end of their lifeline
   */
  start(signal: AbortSignal): Promise<void> {
    this.#started ??= this.#start(signal)
    return this.#started
  }

  /** The shutdown has begun; the count runs from now. */
  begin(trigger: string, detail: string | null): void {
    this.note({ trigger, detail: detail?.slice(0, 2000) ?? null })
    Atomics.store(this.#flags, CLOSING, 1)
    this.#wake()
  }

  /** The start is done; from now on silence is a hang. */
  ready(): void {
    this.#beat()
    Atomics.store(this.#flags, READY, 1)
    this.#wake()
  }

  /** What to write, and whom to tell, should it come to that. */
  note(notes: Partial<ForceExitNotes>): void {
    this.#notes = { ...this.#notes, ...notes }
    writeNotes(this.#flags, this.#shared, this.#notes)
  }

  async stop(_reason?: StopReason, _force?: AbortSignal): Promise<void> {
    clearInterval(this.#heart)
    Atomics.store(this.#flags, STOP, 1)
    this.#wake()
    if (this.#worker === undefined) this.#end.resolve({ name: this.name })
    this.#worker?.ref()
    await this.closed
  }

  #beat(): void {
    Atomics.add(this.#flags, BEAT, 1)
  }

  #wake(): void {
    Atomics.notify(this.#flags, STOP)
  }

  async #start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { compileCacheDir, workerFile, ...own } = this.#options
    if (own.startLimitMs === undefined) Atomics.store(this.#flags, READY, 1)
    const limits = { tickMs: 250, closingLimitMs: limitMs, silentLimitMs: limitMs, startLimitMs: limitMs, ...own }
    const setup: ForceExitSetup = {
      ...limits,
      beatMs: Math.min(1000, limits.closingLimitMs / 6, limits.silentLimitMs / 6),
      flags: this.#flags.buffer as SharedArrayBuffer,
      notes: this.#shared,
    }
    const worker = new Worker(workerFile, {
      name: this.name,
      workerData: setup,
      env: { NODE_COMPILE_CACHE: compileCacheDir },
      resourceLimits,
    })
    this.#worker = worker
    let error: Error | undefined
    worker.on('error', (thrown) => {
      error = asError(thrown)
    })
    worker.on('exit', () => {
      clearInterval(this.#heart)
      this.#end.resolve({ name: this.name, ...(error && { error }) })
    })
    this.#heart = setInterval(() => this.#beat(), setup.beatMs).unref()
    const ready = new Promise<{ problem: string | null }>((resolve) => worker.once('message', resolve))
    const first = await Promise.race([ready, this.closed])
    worker.unref()
    const problem = 'problem' in first ? first.problem : (first.error?.message ?? null)
    if (problem !== null) throw new AppError('internal', `the watch against hanging has no native calls: ${problem}`)
  }
}
