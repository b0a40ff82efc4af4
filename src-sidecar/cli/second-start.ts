import { setTimeout as delay } from 'node:timers/promises'
import { type Instance, readInstance } from '../config/instance-file.ts'
import { statusSchema } from '../contract/status.ts'
import { AppError } from '../errors/app-error.ts'
import type { InstanceLock } from '../store/instance-lock.ts'

/** Longer than a forced exit takes. */
const earlierEndMs = 45_000
const pollMs = 100
const answerMs = 2000

/**
 * Takes the lock of the data folder; waits for an instance that is closing (or dying) to be gone.
 * @throws AppError `already_running` where one runs and means to go on; `data.instance` says where.
 */
export async function acquireInstance(lock: InstanceLock, dataFolder: string, abort: AbortSignal): Promise<void> {
  const end = performance.now() + earlierEndMs
  while (!lock.tryAcquire()) {
    const instance = await readInstance(dataFolder)
    if (instance !== null && (await isServing(instance))) {
      throw new AppError('already_running', `StableNew already runs on ${dataFolder} (process ${instance.pid}).`, {
        data: { instance },
      })
    }
    if (performance.now() > end) {
      throw new AppError(
        'already_running',
        `Another StableNew holds ${dataFolder} and did not end within ${earlierEndMs / 1000} s.`,
      )
    }
    await delay(pollMs, undefined, { signal: abort })
  }
}

/** Asks the first instance to come to the front. @returns whether it did. */
export async function bringToFront(instance: Instance): Promise<boolean> {
  const answer = await ask(instance, '/api/front', 'POST').catch(() => null)
  return answer?.ok ?? false
}

async function isServing(instance: Instance): Promise<boolean> {
  try {
    const answer = await ask(instance, '/api/status', 'GET')
    // Only this: the one that runs may be of another version.
    return answer.ok && statusSchema.pick({ closing: true }).parse(await answer.json()).closing === null
  } catch {
    return false
  }
}

const ask = ({ url, token }: Instance, path: string, method: string): Promise<Response> =>
  fetch(new URL(path, url), { method, headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(answerMs) })
