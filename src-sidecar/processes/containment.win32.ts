import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programPath } from '../config/program-path.ts'
import { definedOnly } from './defined-only.ts'
import { bootTime, terminateIfSame } from './native-win32.ts'
import type { ContainmentPlatform, PlatformOptions } from './platform.ts'
import { isSame } from './signal-checked.ts'
import { readWin32Process } from './win32-stats.ts'

const shimFile = programPath('shim.win32')

/** Windows: each guard is the first member of a job object whose only handle it holds. */
export function createWin32Platform({ env, dataDir }: PlatformOptions): ContainmentPlatform {
  const bootId = bootTime()
  const identify = (pid: number) => {
    const stat = readWin32Process(pid)
    return stat && { pid, startTime: stat.startTime, bootId }
  }
  return {
    facts: { level: 'shim', reasons: [], parentDeathSignal: false, processDescriptors: true, subreaper: false },
    bootId,
    setpriv: undefined,
    guard: () => ({
      file: process.execPath,
      args: ['--no-warnings', shimFile],
      // Windows programs need more of their environment than can be listed here; Node's own options are not for the guard.
      env: { ...definedOnly({ ...env, NODE_OPTIONS: undefined }), NODE_COMPILE_CACHE: join(dataDir, 'cache', 'shim') },
    }),
    identify,
    isAlive: (identity) => identity.bootId === bootId && isSame(identity.pid, identity.startTime),
    // There are no signals: whatever is asked for, it ends.
    signal: (pid, startTime, signal) => signal !== 'SIGCONT' && terminateIfSame(pid, startTime),
    findGuard: (child) => (child.pid === undefined ? undefined : identify(child.pid)),
    findLeader: (_guard, innerPid) => identify(innerPid),
    async sweep({ guard, leader }) {
      // With the guard its job is gone, and with the job all of the tree.
      for (const identity of [guard, leader]) {
        while (identity && isSame(identity.pid, identity.startTime)) {
          terminateIfSame(identity.pid, identity.startTime)
          await sleep(10)
        }
      }
    },
    close: async () => [],
  }
}
