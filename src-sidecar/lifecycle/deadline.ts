import { AppError } from '../errors/app-error.ts'

/**
 * Waits for `work`, at most `ms` milliseconds.
 * @throws AppError `timeout`, naming what was waited for. The work itself goes on: hand it a signal where it can be ended.
 */
export async function withDeadline<T>(name: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('timeout', `${name} was not done within ${ms} ms`, { data: { name, ms } })), ms)
  })
  try {
    return await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
