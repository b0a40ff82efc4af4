import { join } from 'node:path'
import { findInstalled } from './backends/find-installed.ts'
import { usualPlaces } from './backends/installed/usual-places.ts'
import { isTaken } from './backends/listening-port.ts'
import { readLog } from './backends/read-log.ts'
import type { BackendLog, BackendLogQuery } from './contract/backend-log.ts'
import type { FoundBackends } from './contract/found-backend.ts'
import type { BackendSettings } from './contract/settings.ts'

/** For a click: what has not been found by then is not in a usual place. */
const searchMs = 5000

/**
 * Looks for servers installed on this machine. One search at a time, for it reads thousands of folders.
 * @param backends of the settings: their ports are not proposed for another one
 */
export function backendFinder(
  home: string,
  env: Readonly<Record<string, string | undefined>>,
  backends: () => readonly BackendSettings[],
): () => Promise<FoundBackends> {
  const { platform } = process
  let searching: Promise<FoundBackends> | undefined
  const search = () =>
    findInstalled({
      roots: usualPlaces(home, platform, env),
      platform,
      isTaken: async (port) => portsOf(backends()).includes(port) || (await isTaken(`http://127.0.0.1:${port}`)),
      signal: AbortSignal.timeout(searchMs),
    })
  return () => {
    searching ??= search().finally(() => {
      searching = undefined
    })
    return searching
  }
}

const portsOf = (backends: readonly BackendSettings[]): number[] =>
  backends.flatMap((one) => (one.kind === 'draft' ? [] : Number(new URL(one.url).port)))

/** Reads what a backend has said; its log is named by its id. */
export const backendLogs =
  (folder: string) =>
  (id: string, { lines, after }: BackendLogQuery): Promise<BackendLog> =>
    readLog(join(folder, `backend-${id}.log`), lines, after)
