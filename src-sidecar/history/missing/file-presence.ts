import { access } from 'node:fs/promises'
import { withDeadline } from '../../lifecycle/deadline.ts'

/** A disk that sleeps takes some ten seconds to wake; a share of a machine that went away never answers. */
const answerMs = 30_000

/** Whether a file or folder is there; null where that can't be told, as of one that may not be looked at. Never throws. */
export async function presence(path: string): Promise<boolean | null> {
  try {
    await access(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? false : null
  }
}

/**
 * What a disk was asked, or null once the signal is aborted: the system may let a question to a lost disk hang.
 * @throws AppError `timeout`
 */
export async function answered<T>(question: string, work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = Promise.withResolvers<null>()
  const abort = () => aborted.resolve(null)
  if (signal.aborted) return null
  signal.addEventListener('abort', abort)
  try {
    return await withDeadline(question, answerMs, Promise.race([work, aborted.promise]))
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
