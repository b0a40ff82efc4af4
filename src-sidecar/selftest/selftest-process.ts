import { z } from 'zod'
import { type SelftestRequest, type SelftestState, selftestReportSchema, selftestRunSchema } from '../contract/selftest.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { ContainedProcess, Containment } from '../processes/spawn-contained.ts'

const lineSchema = z.union([
  z.object({ stablenew: z.literal('selftest'), runs: z.array(selftestRunSchema) }),
  z.object({ stablenew: z.literal('selftest-report'), file: z.string(), report: selftestReportSchema }),
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
      void process.closed.then(({ outcome, exitCode, lastLines }) => {
        const stopped = outcome === 'terminated'
        // One that was stopped half-way has judged nothing.
        const verdict = stopped ? null : this.#state.verdict
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
    if (!line.startsWith('{"stablenew":"selftest')) return
    const said = lineSchema.parse(JSON.parse(line))
    if (said.stablenew === 'selftest') this.#state = { ...this.#state, runs: said.runs }
    else this.#state = { ...this.#state, runs: said.report.runs, verdict: said.report.verdict, file: said.file }
  }
}
