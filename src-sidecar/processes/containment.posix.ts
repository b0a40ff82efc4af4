import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programPath } from '../config/program-path.ts'
import { membersOfGroup } from './group-tree.ts'
import type { ContainmentPlatform, PlatformOptions } from './platform.ts'
import { descendantsOf, isAlive, readAllStats, readProcessStat } from './process-stat.ts'
import { isSame, signalChecked } from './signal-checked.ts'

const shimFile = programPath('shim.posix')

/** The group level, without native calls: other systems than Linux and Windows, and Linux where they can't be made. */
export function createPosixPlatform(options: PlatformOptions, reasons: string[] = []): ContainmentPlatform {
  const bootId = readBootId()
  const path = options.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'
  const identify = (pid: number) => {
    const stat = readProcessStat(pid)
    return isAlive(stat) ? { pid, startTime: stat.startTime, bootId } : undefined
  }
  return {
    facts: { level: 'group', reasons, parentDeathSignal: false, processDescriptors: false, subreaper: false },
    bootId,
    setpriv: undefined,
    guard: () => ({
      file: process.execPath,
      args: ['--no-warnings', shimFile],
      env: { PATH: path, NODE_COMPILE_CACHE: join(options.dataDir, 'cache', 'shim') },
    }),
    identify,
    isAlive: (identity) => identity.bootId === bootId && isSame(identity.pid, identity.startTime),
    signal: signalChecked,
    findGuard: (child) => (child.pid === undefined ? undefined : identify(child.pid)),
    findLeader: (_guard, innerPid) => identify(innerPid),
    async sweep({ guard, leader, spawnId }) {
      for (;;) {
        const left = membersOfGroup({ guardPid: guard.pid, leaderPid: leader?.pid, spawnId, byMark: true })
        if (left.length === 0) return
        for (const { pid, startTime } of left) signalChecked(pid, startTime, 'SIGKILL')
        await sleep(10)
      }
    },
    close: async () =>
      descendantsOf(process.pid, readAllStats())
        .filter(isAlive)
        .map(({ pid }) => pid),
  }
}

function readBootId(): string {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
  } catch {
    // Then identity rests on number and start time alone, and a start time is a date there.
    return 'unknown'
  }
}
