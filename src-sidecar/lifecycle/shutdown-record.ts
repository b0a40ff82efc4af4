import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { type LastShutdown, lastShutdownSchema } from '../contract/last-shutdown.ts'

const rotateAboveBytes = 1024 * 1024

/**
 * What a shutdown leaves in writing: `shutdown.log` for people, a line for each action as it happens, and
 * `last-shutdown.json` for the next start. Written synchronously: the process may end at any moment, and an entry that
 * can't be written (a full disk) must not hold up the end.
 */
export class ShutdownRecord {
  readonly #logFile: string
  readonly #reportFile: string
  #beganAt: number | undefined

  constructor(files: { logFile: string; reportFile: string }) {
    this.#logFile = files.logFile
    this.#reportFile = files.reportFile
  }

  /** A line in `shutdown.log`, with the time and the milliseconds since the first. */
  note(line: string): void {
    const now = performance.now()
    this.#beganAt ??= now
    const after = `+${Math.round(now - this.#beganAt)} ms`.padStart(10)
    quietly(() => appendFileSync(this.#logFile, `${new Date().toISOString()} ${after}  ${line}\n`, { mode: 0o600 }))
  }

  write(report: LastShutdown): void {
    for (const { phase, name, ms, error } of report.steps) {
      this.note(error === null ? `${phase}: ${name} took ${ms} ms` : `${phase}: ${name} failed after ${ms} ms: ${error}`)
    }
    for (const remark of report.remarks) this.note(remark)
    for (const left of report.left) this.note(`left: ${left}`)
    this.note(`closed in ${report.ms} ms: ${report.verdict} (exit code ${report.exitCode})`)
    quietly(() => {
      writeFileSync(`${this.#reportFile}.part`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 })
      renameSync(`${this.#reportFile}.part`, this.#reportFile)
    })
  }

  /** How the run before this one ended; null where it was never written or can't be read. Rotates the log. */
  readLast(): LastShutdown | null {
    quietly(() => {
      if (statSync(this.#logFile).size > rotateAboveBytes) renameSync(this.#logFile, `${this.#logFile}.1`)
    })
    try {
      return lastShutdownSchema.parse(JSON.parse(readFileSync(this.#reportFile, 'utf8')))
    } catch {
      return null
    }
  }
}

function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // See the class.
  }
}
