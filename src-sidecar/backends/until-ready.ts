import { AppError } from '../errors/app-error.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { whenAborted } from '../lifecycle/when-aborted.ts'
import type { ContainedProcess, ProcessClosed } from '../processes/spawn-contained.ts'

export interface UntilReadyOptions<T> {
  /** For people: "The draft engine". */
  readonly name: string
  readonly limitMs: number
  /** Resolves when the server can be used; to be given up when `over` aborts. */
  readonly ready: (over: AbortSignal) => Promise<T>
  /** Ends the wait and the process without grace: what is not ready has nothing to lose. */
  readonly stopping: AbortSignal
}

/**
 * Waits until a process that was just started is a server that can be used. Where that does not come about, its whole tree is
 * ended first.
 * @throws AppError `backend_start_failed` with its last lines (it ended, or was not ready in time), `shutting_down`, or what `ready` throws.
 */
export async function untilReady<T>(process: ContainedProcess, options: UntilReadyOptions<T>): Promise<T> {
  const { name, limitMs, ready, stopping } = options
  const over = new AbortController()
  const ended = process.closed.then((closed) => {
    throw new AppError('backend_start_failed', `${name} ended before it was ready ${howItEnded(closed)}`)
  })
  const stopped = whenAborted(AbortSignal.any([stopping, over.signal])).then(() => {
    throw new AppError('shutting_down', 'StableNew is closing.')
  })
  const waits = [ready(over.signal), ended, stopped]
  // Of those that lose the race nobody asks any more.
  for (const wait of waits) wait.catch(() => {})
  try {
    return await withDeadline(`start of ${name}`, limitMs, Promise.race(waits) as Promise<T>)
  } catch (error) {
    // What it says at its end is of no interest.
    const said = lastWords(process.lastLines())
    over.abort()
    await process.terminate(stopping)
    if (!(error instanceof AppError) || error.code !== 'timeout') throw error
    throw new AppError('backend_start_failed', `${name} was not ready within ${limitMs / 1000} s. ${said}`, { cause: error })
  } finally {
    over.abort()
  }
}

/** "(exit code 1). Last lines: …" */
export const howItEnded = ({ exitCode, signal, lastLines }: ProcessClosed): string =>
  `(${exitCode === null ? signal : `exit code ${exitCode}`}). ${lastWords(lastLines)}`

const lastWords = (lines: readonly string[]): string =>
  lines.length === 0 ? 'It said nothing.' : `Last lines: ${lines.slice(-5).join(' | ').slice(-1000)}`
