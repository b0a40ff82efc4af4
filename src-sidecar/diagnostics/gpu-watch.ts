import { asError } from '../errors/app-error.ts'
import type { Logger } from '../logging/logger.ts'
import { findCommand } from '../processes/find-command.ts'
import type { ContainedProcess, Containment } from '../processes/spawn-contained.ts'
import { nvidiaSmiArguments, parseGpuLine } from './gpu-lines.ts'

export interface GpuWatchOptions {
  readonly containment: Pick<Containment, 'spawnContained'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly everyMs: number
  readonly logger: Logger
}

/** Its tool prints what there is and not what is gone: what was not told for so many rounds counts as gone. */
const staleRounds = 2.5

/**
 * Video memory of each process, where `nvidia-smi` is there. It runs only between `start` and `stop`, so that a card that
 * nobody uses can sleep. Outside of a PID namespace, where it would see other numbers.
 */
export class GpuWatch {
  readonly #options: GpuWatchOptions
  readonly #seen = new Map<string, { pid: number; vramBytes: number | null; atMs: number }>()
  #running: Promise<ContainedProcess | undefined> | undefined
  #gaveUp = false

  constructor(options: GpuWatchOptions) {
    this.#options = options
  }

  /** Any number of times; nothing where there is no `nvidia-smi`, or it ended by itself before. */
  start(): void {
    if (this.#gaveUp || this.#running !== undefined) return
    this.#running = this.#start().catch((error) => {
      this.#giveUp(asError(error).message)
      return undefined
    })
  }

  /** Null where it is not known. */
  vramBytesOf(pid: number): number | null {
    const since = performance.now() - this.#options.everyMs * staleRounds
    const lines = [...this.#seen.values()].filter((line) => line.pid === pid && line.atMs >= since && line.vramBytes !== null)
    return lines.length === 0 ? null : lines.reduce((sum, { vramBytes }) => sum + (vramBytes ?? 0), 0)
  }

  /** Resolves when nothing of it is left. */
  async stop(force?: AbortSignal): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    const process = await running
    await process?.terminate(force)
    if (this.#running === running) this.#running = undefined
    this.#seen.clear()
  }

  async #start(): Promise<ContainedProcess | undefined> {
    const { containment, env, everyMs } = this.#options
    const found = findCommand('nvidia-smi', '/', { PATH: env.PATH ?? '' })
    if ('problem' in found) {
      this.#gaveUp = true
      return undefined
    }
    const process = await containment.spawnContained(found.path, nvidiaSmiArguments(everyMs), {
      role: 'tool',
      level: 'shim',
      graceMs: 1000,
      onLine: (_, line) => this.#take(line),
    })
    void process.closed.then(({ outcome, lastLines }) => {
      if (outcome !== 'terminated') this.#giveUp(lastLines.at(-1) ?? outcome)
    })
    return process
  }

  #take(text: string): void {
    const line = parseGpuLine(text)
    if (line !== null) this.#seen.set(`${line.gpu} ${line.pid}`, { ...line, atMs: performance.now() })
  }

  /** No driver, no card: it would say the same again. */
  #giveUp(why: string): void {
    this.#gaveUp = true
    this.#running = undefined
    this.#options.logger.info({ why }, 'nvidia-smi tells nothing')
  }
}
