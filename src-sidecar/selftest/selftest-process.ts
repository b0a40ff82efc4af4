import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import {
  type SelftestReport,
  type SelftestRequest,
  type SelftestState,
  selftestReportSchema,
  selftestRunSchema,
} from '../contract/selftest.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { ContainedProcess, Containment } from '../processes/spawn-contained.ts'

const lineSchema = z.union([
  z.object({ stablenew: z.literal('selftest-run'), index: z.int().min(0), run: selftestRunSchema }),
  z.object({ stablenew: z.literal('selftest-report'), file: z.string() }),
])
const idle: SelftestState = { running: false, runs: [], verdict: null, file: null, problem: null }

export interface SelftestProcessOptions {
  readonly containment: Containment
  /** The app's own program. */
  readonly program: string
  readonly reportFile: string
}

/** A selftest below the running app, in a process of its own that is held like any other: it ends with the app. */
export class SelftestProcess {
  readonly #options: SelftestProcessOptions
  #state: SelftestState = idle
  #process: ContainedProcess | undefined

  constructor(options: SelftestProcessOptions) {
    this.#options = options
  }

  get state(): SelftestState {
    return this.#state
  }

  /** Resolves when it runs. @throws AppError `bad_request` when one runs already, and as `spawnContained` */
  async start({ repeat, watchS, faults }: SelftestRequest): Promise<SelftestState> {
    if (this.#state.running) throw new AppError('bad_request', 'A selftest runs already. Stop it first, or wait for its end.')
    const { containment, program, reportFile } = this.#options
    this.#state = { ...idle, running: true }
    const args = ['--disable-warning=ExperimentalWarning', program, '--selftest', '--host-lines', '--report', reportFile]
    const wanted = ['--repeat', String(repeat), '--watch', String(watchS), ...(faults ? ['--faults'] : [])]
    try {
      const process = await containment.spawnContained(globalThis.process.execPath, [...args, ...wanted], {
        role: 'selftest',
        // It adopts what its scenarios leave, and starts namespaces of its own.
        level: 'shim',
        onLine: (stream, line) => stream === 'stdout' && this.#hear(line),
      })
      this.#process = process
      void process.closed.then(async ({ outcome, exitCode, lastLines }) => {
        const stopped = outcome === 'terminated'
        // One that was stopped half-way has judged nothing.
        const report = stopped ? null : await this.#report()
        const verdict = report?.verdict ?? null
        if (report) this.#state = { ...this.#state, runs: report.runs }
        const problem = stopped || verdict !== null ? null : (lastLines.at(-1) ?? `exit code ${exitCode}`)
        this.#state = { ...this.#state, running: false, verdict, problem }
        this.#process = undefined
      })
    } catch (thrown) {
      this.#state = { ...idle, problem: asError(thrown).message }
      throw thrown
    }
    return this.#state
  }

  /** Resolves when nothing of it is left. */
  async stop(): Promise<SelftestState> {
    const process = this.#process
    await process?.terminate()
    await process?.closed
    return this.#state
  }

  #hear(line: string): void {
    const said = lineSchema.safeParse(parsed(line)).data
    if (said?.stablenew === 'selftest-run')
      this.#state = { ...this.#state, runs: this.#state.runs.toSpliced(said.index, 1, said.run) }
    else if (said !== undefined) this.#state = { ...this.#state, file: said.file }
  }

  /** What was written in the end; null where it did not come to that. */
  async #report(): Promise<SelftestReport | null> {
    const { file } = this.#state
    if (file === null) return null
    return await readFile(file, 'utf8').then(
      (text) => selftestReportSchema.safeParse(parsed(text)).data ?? null,
      () => null,
    )
  }
}

/** A line that was cut, or is none of ours, is no reason to end the app. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
