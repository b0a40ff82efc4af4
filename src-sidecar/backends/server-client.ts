import type { BackendModels } from '../contract/backend-models.ts'
import type { Problem } from '../contract/job.ts'
import type { BackendCapability } from '../contract/status.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { GeneratedImage, GenerateProgress, GenerateRequest, GenerateResult } from './backend.ts'
import type { BackendDeadlines } from './backend-deadlines.ts'
import { namedOutOfMemory } from './out-of-memory.ts'

/** Speaks with one server, whoever runs it. */
export interface ServerClient {
  /** Whether it answers: a small question, within `quickMs`. @throws AppError saying why it can't be used. */
  check(signal: AbortSignal): Promise<void>
  /** Asks what the server can. @throws AppError saying why it can't be used. */
  probe(signal: AbortSignal): Promise<readonly BackendCapability[]>
  /** What the server has. Never throws: what is not told is empty. */
  models(signal: AbortSignal): Promise<BackendModels>
  /**
   * Whether the server still stands at an image that was given up; waits as long as it may let go of it yet.
   * @returns the sentence that says so, else null. Never throws.
   */
  hangs(signal: AbortSignal): Promise<string | null>
  /** Makes one image. Never throws; see `GenerateResult`. */
  generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult>
  /**
   * Has the server give back the memory of its models, which the next image loads again.
   * @returns false where the server can't. @throws AppError `conflict` while it makes an image, and as `ServerHttp`.
   */
  freeMemory(signal: AbortSignal): Promise<boolean>
  close(): Promise<void>
}

export const atWork = (): AppError =>
  new AppError('conflict', 'The server is at an image, and needs its model. Try again when it is done.')

/** @param stuck the sentence that says for how long nothing was seen of it. */
export const notLetGo = (stuck: string, { interruptMs }: BackendDeadlines): AppError =>
  new AppError('backend_hung', `${stuck} Interrupted, it did not let go of the image within ${interruptMs / 1000} s.`)

/**
 * What went wrong, as a result.
 * @param underWay whether the server was at the image already, so that it may have gone down with it.
 * @param what was being read, for errors that don't say so themselves.
 */
export function failedResult(thrown: unknown, underWay: boolean, what: string): GenerateResult {
  const error = asError(thrown)
  if (!(error instanceof AppError)) {
    const message = `${what} could not be used: ${error.message}`
    return { outcome: 'rejected', problem: { code: 'backend_bad_answer', message } }
  }
  const problem: Problem = { code: error.code, message: error.message }
  if (error.code === 'backend_hung') return { outcome: 'unavailable', problem, crashed: true }
  // A server that says nothing before it has anything to do is as good as not there.
  if (error.code === 'backend_unreachable' || (error.code === 'timeout' && !underWay))
    return { outcome: 'unavailable', problem, crashed: underWay && error.data.connected === true }
  return { outcome: 'rejected', problem: namedOutOfMemory(problem) }
}

/** Reads what was made, once the server is free again. @throws AppError `backend_bad_answer`, or what `read` threw where that is one. */
export const readable =
  (what: string, read: () => Promise<GeneratedImage>): (() => Promise<GeneratedImage>) =>
  async () => {
    try {
      return await read()
    } catch (thrown) {
      const error = asError(thrown)
      if (error instanceof AppError) throw error
      throw new AppError('backend_bad_answer', `${what} could not be used: ${error.message}`, { cause: error })
    }
  }
