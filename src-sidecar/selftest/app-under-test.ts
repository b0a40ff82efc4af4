import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { programPath } from '../config/program-path.ts'
import { type LastShutdown, lastShutdownSchema } from '../contract/last-shutdown.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { type ObservedExit, type ObservedProcess, spawnObserved } from '../processes/spawn-observed.ts'

const readyWithinMs = 60_000
const windowWithinMs = 30_000
const answerWithinMs = 20_000
const windowProgram = programPath('neutralino-stand-in')
const readySchema = z.object({ stablenew: z.literal('ready'), port: z.number(), token: z.string() })

export interface LaunchPlan {
  readonly dataDir: string
  /** The app's own program, and the flags that Node runs it with. */
  readonly program: string
  readonly nodeFlags: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly draftArgs: string
  /** Whether the stand-in for Neutralino's window is around it. */
  readonly window: boolean
  /** What starts it, its command line behind this; empty for itself. */
  readonly prefix?: readonly string[]
}

/** A second StableNew, with a data folder of its own, seen from outside. */
export class AppUnderTest {
  readonly dataDir: string
  readonly #process: ObservedProcess
  readonly #url: string
  readonly #token: string
  readonly #lastLines: string[]

  private constructor(dataDir: string, process: ObservedProcess, ready: z.infer<typeof readySchema>, lastLines: string[]) {
    this.dataDir = dataDir
    this.#process = process
    this.#url = `http://127.0.0.1:${ready.port}`
    this.#token = ready.token
    this.#lastLines = lastLines
  }

  /** Resolves when it is ready, its window included. @throws Error with its last lines when it is not */
  static async launch(plan: LaunchPlan): Promise<AppUnderTest> {
    const flags = ['--disable-warning=ExperimentalWarning', ...plan.nodeFlags]
    const own = ['--data-dir', plan.dataDir, ...(plan.draftArgs === '' ? [] : ['--draft-args', plan.draftArgs])]
    const line = plan.window
      ? [
          process.execPath,
          '--disable-warning=ExperimentalWarning',
          windowProgram,
          `--node-flags=${plan.nodeFlags.join(' ')}`,
          '--',
          ...own,
        ]
      : [process.execPath, ...flags, plan.program, '--shell', 'none', '--host-lines', '--watch-stdin', ...own]
    const [file = '', ...args] = [...(plan.prefix ?? []), ...line]
    const ready = Promise.withResolvers<z.infer<typeof readySchema>>()
    const trayed = Promise.withResolvers<void>()
    const lastLines: string[] = []
    const started = await spawnObserved(file, args, {
      // No real window, also where there is a screen.
      env: { ...plan.env, DISPLAY: '', WAYLAND_DISPLAY: '' },
      onLine: (_stream, text) => {
        lastLines.push(text)
        if (lastLines.length > 20) lastLines.shift()
        if (text.startsWith('{"stablenew":"ready"')) ready.resolve(readySchema.parse(JSON.parse(text)))
        // Its last call at the start: from then on the sidecar hears what happens to the window.
        if (text.includes('"os.setTray"')) trayed.resolve()
      },
    })
    const early = started.exited.then(({ code, signal }) => {
      throw new Error(`the app ended with ${code ?? signal} before it was ready: ${lastLines.join(' | ')}`)
    })
    early.catch(() => {})
    const answer = await withDeadline('launch', readyWithinMs, Promise.race([ready.promise, early]))
    if (plan.window) await withDeadline('window', windowWithinMs, Promise.race([trayed.promise, early]))
    return new AppUnderTest(plan.dataDir, started, answer, lastLines)
  }

  /** Of the process that was started: the window, where there is one. */
  get exited(): Promise<ObservedExit> {
    return this.#process.exited
  }

  get lastLines(): readonly string[] {
    return this.#lastLines
  }

  get sidecarPid(): number {
    return z.object({ pid: z.number() }).parse(JSON.parse(readFileSync(join(this.dataDir, 'instance.json'), 'utf8'))).pid
  }

  /** A command of the stand-in for the window. */
  tellWindow(command: string): void {
    this.#process.write(command)
  }

  endInput(): void {
    this.#process.endInput()
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal)
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>('GET', path)
  }

  post<T>(path: string, body: object = {}): Promise<T> {
    return this.#ask<T>('POST', path, body)
  }

  /** How the last run in a data folder ended; undefined where it wrote nothing. */
  static lastShutdown(dataDir: string): LastShutdown | undefined {
    try {
      return lastShutdownSchema.parse(JSON.parse(readFileSync(join(dataDir, 'last-shutdown.json'), 'utf8')))
    } catch {
      return undefined
    }
  }

  async #ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' }
    const init = { method, headers, signal: AbortSignal.timeout(answerWithinMs), ...(body && { body: JSON.stringify(body) }) }
    const answer = await fetch(this.#url + path, init)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`)
    return (text === '' ? null : JSON.parse(text)) as T
  }
}
