import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { BackendStatus } from '../contract/status.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { ComponentExit, StopReason } from '../lifecycle/component.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { ContainedProcess, Containment } from '../processes/spawn-contained.ts'
import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from './backend.ts'
import { SdapiClient } from './sdapi/sdapi-client.ts'

const program = fileURLToPath(new URL('./draft-engine/main.ts', import.meta.url))
/** The small semi-space keeps its memory flat: a picture is much garbage in large pieces. */
const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4']
const startDeadlineMs = 30_000
const listeningSchema = z.object({ event: z.literal('listening'), port: z.int() })

export interface DraftBackendOptions {
  readonly containment: Containment
  /** Further arguments of the engine: `--step-ms` and the like. */
  readonly args: readonly string[]
  readonly logFile: string
  readonly onStatus: (status: BackendStatus) => void
}

interface Engine {
  readonly process: ContainedProcess
  readonly client: SdapiClient
  alive: boolean
}

/**
 * The draft engine as a backend: its own process, started when the first image is asked for and again after a crash.
 * States as in `BackendStatus`; changed only here.
 */
export class DraftBackend implements Backend {
  readonly name = 'Draft engine'
  readonly #options: DraftBackendOptions
  readonly #stopping = new AbortController()
  readonly #closed = deferred<ComponentExit>()
  #status: BackendStatus = { kind: 'draft', name: this.name, state: 'stopped', problem: null }
  #engine: Promise<Engine> | undefined

  constructor(options: DraftBackendOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get status(): BackendStatus {
    return this.#status
  }

  async start(): Promise<void> {}

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    let engine: Engine
    try {
      this.#engine ??= this.#startEngine()
      engine = await this.#engine
    } catch (error) {
      this.#engine = undefined
      const problem = { code: 'backend_start_failed', message: asError(error).message } as const
      this.#turn({ state: 'failed', problem })
      return { outcome: 'unavailable', problem, crashed: false }
    }
    const result = await engine.client.generate(request, onProgress, AbortSignal.any([signal, this.#stopping.signal]))
    if (result.outcome !== 'unavailable') return result
    // A connection that broke while the engine lives on is no crash; give its end a moment to be seen.
    await withDeadline('end of the draft engine', 1000, engine.process.closed).catch(() => {})
    return { ...result, crashed: !engine.alive }
  }

  async stop(_reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopping.abort()
    const engine = await this.#engine?.catch(() => undefined)
    await engine?.client.close()
    await engine?.process.terminate(force)
    this.#turn({ state: 'stopped', problem: null })
    this.#closed.resolve({ name: this.name })
  }

  async #startEngine(): Promise<Engine> {
    this.#stopping.signal.throwIfAborted()
    this.#turn({ state: 'starting', problem: null })
    const listening = Promise.withResolvers<number>()
    const process = await this.#options.containment.spawnContained(
      globalThis.process.execPath,
      [...nodeFlags, program, '--port', '0', ...this.#options.args],
      {
        role: 'backend',
        logFile: this.#options.logFile,
        onLine: (stream, line) => {
          const port = stream === 'stdout' ? portOf(line) : null
          if (port !== null) listening.resolve(port)
        },
      },
    )
    const ended = process.closed.then(({ exitCode, signal, lastLines }) => {
      const tail = lastLines.slice(-5).join(' | ')
      throw new AppError(
        'backend_start_failed',
        `The draft engine ended before it was ready (exit code ${exitCode ?? signal}): ${tail}`,
      )
    })
    ended.catch(() => {})
    const stopped = new Promise<never>((_, reject) =>
      this.#stopping.signal.addEventListener('abort', () => reject(new AppError('shutting_down', 'StableNew is closing.')), {
        once: true,
      }),
    )
    try {
      const port = await withDeadline(
        'start of the draft engine',
        startDeadlineMs,
        Promise.race([listening.promise, ended, stopped]),
      )
      const engine: Engine = { process, client: new SdapiClient({ url: `http://127.0.0.1:${port}` }), alive: true }
      this.#turn({ state: 'ready', problem: null })
      void process.closed.then(() => this.#engineGone(engine))
      return engine
    } catch (error) {
      await process.terminate(this.#stopping.signal)
      throw error
    }
  }

  #engineGone(engine: Engine): void {
    engine.alive = false
    void engine.client.close()
    this.#engine = undefined
    if (!this.#stopping.signal.aborted) this.#turn({ state: 'stopped', problem: null })
  }

  #turn(change: Pick<BackendStatus, 'state' | 'problem'>): void {
    this.#status = { ...this.#status, ...change }
    this.#options.onStatus(this.#status)
  }
}

function portOf(line: string): number | null {
  try {
    return listeningSchema.parse(JSON.parse(line)).port
  } catch {
    return null
  }
}
