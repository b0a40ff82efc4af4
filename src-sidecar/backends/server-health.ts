import { setTimeout as delay } from 'node:timers/promises'
import type { BackendCapability } from '../contract/status.ts'
import { AppError } from '../errors/app-error.ts'
import { isTaken } from './listening-port.ts'
import type { ServerClient } from './server-client.ts'

const askEveryMs = 250
/** For what is there already to say what it is. */
const strangerMs = 3000

/**
 * Asks a server that starts until it can be used.
 * @returns what it can. @throws AppError `backend_rejected` where it wants another sign-in; the reason of `over`, the caller's deadline.
 */
export async function untilHealthy(client: ServerClient, over: AbortSignal): Promise<readonly BackendCapability[]> {
  for (;;) {
    try {
      return await client.probe(over)
    } catch (error) {
      over.throwIfAborted()
      // While it starts it may refuse anything but this.
      if (error instanceof AppError && error.data.status === 401) throw error
    }
    await delay(askEveryMs, undefined, { signal: over })
  }
}

/**
 * To be called before a server is started: somebody else's at its address would pass for it.
 * @param what the server is, for people: "WebUI".
 * @throws AppError `backend_start_failed` where the port is taken, saying what can be done.
 */
export async function expectFreePort(
  { url, what, client }: { readonly url: string; readonly what: string; readonly client: ServerClient },
  stopping: AbortSignal,
): Promise<void> {
  if (!(await isTaken(url))) return
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(strangerMs)])
  const sameKind = await client.probe(signal).then(
    () => true,
    () => false,
  )
  const taken = `${what} was not started: at ${new URL(url).host}`
  throw new AppError(
    'backend_start_failed',
    sameKind
      ? `${taken} a ${what} runs already, and StableNew did not start it. To use that one, switch "Start it for me" off; else end it.`
      : `${taken} another program listens already. End that, or choose another port, in the address and in the arguments.`,
  )
}
