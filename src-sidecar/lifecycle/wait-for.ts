import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks until the answer is neither false, null nor undefined, and gives it back. Never a sleep and a hope.
 * @throws naming what was waited for, with the last answer or error, when `ms` milliseconds have passed
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  what: string,
  { ms = 5000, everyMs = 10 }: { ms?: number; everyMs?: number } = {},
): Promise<Exclude<T, false | null | undefined>> {
  const until = performance.now() + ms
  let last: unknown
  for (;;) {
    try {
      const answer = await condition()
      if (answer !== false && answer !== null && answer !== undefined) return answer as Exclude<T, false | null | undefined>
      last = answer
    } catch (thrown) {
      last = thrown
    }
    if (performance.now() >= until) throw new Error(`not within ${ms} ms: ${what} (last: ${String(last)})`, { cause: last })
    await sleep(everyMs)
  }
}
