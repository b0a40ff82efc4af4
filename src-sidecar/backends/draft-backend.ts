import { programPath } from '../config/program-path.ts'
import type { BackendStatus } from '../contract/status.ts'
import { asError } from '../errors/app-error.ts'
import type { ComponentExit, StopReason } from '../lifecycle/component.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { whenAborted } from '../lifecycle/when-aborted.ts'
import type { ContainedProcess, Containment } from '../processes/spawn-contained.ts'
import type { Backend, GenerateProgress, GenerateRequest, GenerateResult } from './backend.ts'
import { freePort, portOf } from './listening-port.ts'
import { SdapiClient } from './sdapi/sdapi-client.ts'
import { untilReady } from './until-ready.ts'

const program = programPath('draft-engine')
/** The small semi-space and a collection after each picture keep its memory flat: a picture is much garbage in large pieces. */
const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--expose-gc']
/**
 * glibc else keeps the buffers of past pictures: 60 MB, and a slow rise that looks like a leak. Other systems' allocators
 * don't look at it.
 */
const allocator = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' }
const startDeadlineMs = 30_000
const healthDeadlineMs = 3000

export interface DraftBackendOptions {
  readonly settings: { readonly id: string; readonly name: string }
  readonly containment: Containment
  /** Further arguments of the engine: `--step-ms` and the like. */
  readonly args: readonly string[]
  readonly logFile: string
  readonly onStatus: (status: BackendStatus) => void
  /** Whether the engine outlives the app (server mode). */
  readonly persistent: boolean
  readonly notice: (message: string) => void
  readonly remark: (text: string) => void
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
  readonly name: string
  /** It paints the same whatever is asked for. */
  readonly known = null
  readonly #options: DraftBackendOptions
  readonly #stopping = new AbortController()
  readonly #closed = deferred<ComponentExit>()
  #status: BackendStatus
  #engine: Promise<Engine> | undefined
  #running: Engine | undefined

  constructor(options: DraftBackendOptions) {
    this.#options = options
    this.name = options.settings.name || 'Draft engine'
    this.#status = {
      id: options.settings.id,
      kind: 'draft',
      name: this.name,
      state: 'stopped',
      problem: null,
      capabilities: null,
    }
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  get status(): BackendStatus {
    return this.#status
  }

  get process(): ContainedProcess | null {
    return this.#running?.process ?? null
  }

  async start(): Promise<void> {
    await this.#adoptEngine()
  }

  async generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult> {
    let engine: Engine
    try {
      this.#engine ??= this.#startEngine()
      // An interrupted start goes on: the next image may want it, and `stop` ends it.
      const started = await Promise.race([this.#engine, whenAborted(signal)])
      if (started === null) return { outcome: 'interrupted' }
      engine = started
    } catch (error) {
      this.#engine = undefined
      const problem = { code: 'backend_start_failed', message: asError(error).message } as const
      this.#turn({ state: 'failed', problem })
      return { outcome: 'unavailable', problem, crashed: false }
    }
    const result = await engine.client.generate(request, onProgress, AbortSignal.any([signal, this.#stopping.signal]))
    if (result.outcome !== 'unavailable') return result
    if (result.problem.code === 'backend_hung') {
      await engine.process.terminate(this.#stopping.signal)
      return result
    }
    // A connection that broke while the engine lives on is no crash; give its end a moment to be seen.
    await withDeadline('end of the draft engine', 1000, engine.process.closed).catch(() => {})
    return { ...result, crashed: !engine.alive }
  }

  /** It has no model. */
  async freeMemory(): Promise<boolean> {
    return false
  }

  tryAgain(): void {}

  async reach(): Promise<boolean> {
    return true
  }

  async recycle(force: AbortSignal): Promise<void> {
    const engine = this.#running
    await engine?.client.close()
    await engine?.process.terminate(force)
  }

  /** In server mode the process is left to the containment, which releases it when everything closes. */
  async stop({ trigger }: StopReason, force: AbortSignal): Promise<void> {
    this.#stopping.abort()
    const engine = await this.#engine?.catch(() => undefined)
    await engine?.client.close()
    if (!this.#options.persistent || trigger === 'replaced') {
      const closed = await engine?.process.terminate(force)
      if (closed?.killed) this.#options.remark(`${this.name}: it did not end when it was asked to, and was killed`)
    }
    this.#turn({ state: 'stopped', problem: null })
    this.#closed.resolve({ name: this.name })
  }

  /** Takes over what an earlier run in server mode has left; what does not answer is ended, for it is ours. */
  async #adoptEngine(): Promise<void> {
    const { containment, notice } = this.#options
    for (const { id, note } of await containment.adoptable()) {
      const port = Number(note?.match(/^draft engine on port (\d+)$/)?.[1])
      if (!port) continue
      try {
        const process = await containment.adopt(id)
        const engine = this.#engine === undefined && (await this.#healthy(process, port))
        if (engine) this.#engine = Promise.resolve(this.#took(engine))
        else await process.terminate(AbortSignal.abort())
      } catch (error) {
        notice(asError(error).message)
      }
    }
  }

  async #healthy(process: ContainedProcess, port: number): Promise<Engine | undefined> {
    const client = new SdapiClient({ url: `http://127.0.0.1:${port}` })
    try {
      await withDeadline('answer of the draft engine', healthDeadlineMs, client.probe(this.#stopping.signal))
      return { process, client, alive: true }
    } catch {
      await client.close()
      return undefined
    }
  }

  #took(engine: Engine): Engine {
    this.#running = engine
    this.#turn({ state: 'ready', problem: null })
    void engine.process.closed.then(() => this.#engineGone(engine))
    return engine
  }

  async #startEngine(): Promise<Engine> {
    this.#stopping.signal.throwIfAborted()
    this.#turn({ state: 'starting', problem: null })
    const { containment, args, logFile, persistent } = this.#options
    // Whoever adopts it must know the port, so it is chosen before.
    const chosen = persistent ? await freePort() : 0
    const listening = Promise.withResolvers<number>()
    const process = await containment.spawnContained(
      globalThis.process.execPath,
      [...nodeFlags, program, '--port', String(chosen), ...args],
      {
        role: 'backend',
        env: allocator,
        logFile,
        persistent,
        ...(persistent ? { note: `draft engine on port ${chosen}` } : {}),
        onLine: (stream, line) => {
          const port = stream === 'stdout' ? portOf(line) : null
          if (port !== null) listening.resolve(port)
        },
      },
    )
    const port = await untilReady(process, {
      name: 'The draft engine',
      limitMs: startDeadlineMs,
      ready: () => listening.promise,
      stopping: this.#stopping.signal,
    })
    return this.#took({ process, client: new SdapiClient({ url: `http://127.0.0.1:${port}` }), alive: true })
  }

  #engineGone(engine: Engine): void {
    engine.alive = false
    void engine.client.close()
    this.#engine = undefined
    this.#running = undefined
    if (!this.#stopping.signal.aborted) this.#turn({ state: 'stopped', problem: null })
  }

  #turn(change: Pick<BackendStatus, 'state' | 'problem'>): void {
    this.#status = { ...this.#status, ...change }
    this.#options.onStatus(this.#status)
  }
}
