import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programPath } from '../config/program-path.ts'
import { findCommand } from './find-command.ts'
import { membersOfGroup } from './group-tree.ts'
import { becomeSubreaper, pidfdSupported } from './native-linux.ts'
import { OrphanTree } from './orphan-tree.ts'
import { isNodesChild } from './own-children.ts'
import type { ContainmentLevel, ContainmentPlatform, PlatformOptions } from './platform.ts'
import { probeNamespace, unshareArgs } from './probe-namespace.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { isAlive, readAllStats, readChildren, readProcessStat } from './process-stat.ts'
import { signalIfSame } from './signal-if-same.ts'

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
const shimFile = programPath('shim.linux')

/** Linux: subreapers and PID namespaces. See the README of this folder for what each level promises. */
export async function createLinuxPlatform(options: PlatformOptions): Promise<ContainmentPlatform> {
  const { wanted } = options
  const path = { PATH: options.env.PATH ?? '/usr/local/bin:/usr/bin:/bin' }
  const find = (command: string) => {
    const found = findCommand(command, '/', path)
    return 'path' in found ? found.path : undefined
  }
  const orphans = new OrphanTree(isNodesChild)
  const subreaper = becomeSubreaper()
  const reap = () => orphans.reap()
  process.on('SIGCHLD', reap)

  const reasons: string[] = []
  const unshare = find('unshare')
  let level: ContainmentLevel = wanted === 'shim' ? 'shim' : 'namespace'
  if (level === 'namespace') {
    const refusal = unshare ? await probeNamespace(unshare, path) : 'unshare is not installed'
    if (refusal) {
      reasons.push(`no PID namespace: ${refusal}`)
      level = 'shim'
    }
  }
  const setpriv = find('setpriv')
  const identify = (pid: number | undefined): ProcessIdentity | undefined => {
    if (pid === undefined) return undefined
    const stat = readProcessStat(pid)
    return isAlive(stat) ? { pid, startTime: stat.startTime, bootId } : undefined
  }
  const alive = (identity: ProcessIdentity) => {
    const stat = readProcessStat(identity.pid)
    return identity.bootId === bootId && isAlive(stat) && stat.startTime === identity.startTime
  }

  return {
    facts: { level, reasons, parentDeathSignal: setpriv !== undefined, processDescriptors: pidfdSupported(), subreaper },
    bootId,
    setpriv,
    identify,
    isAlive: alive,
    guard(at) {
      const node = [process.execPath, '--no-warnings', shimFile]
      const env = {
        ...path,
        // Stripping the types of the shim costs 30 ms and 18 MB each time otherwise.
        NODE_COMPILE_CACHE: join(options.dataDir, 'cache', 'shim'),
      }
      if (at === 'namespace' && unshare) return { file: unshare, args: [...unshareArgs, '--', ...node], env }
      return { file: node[0]!, args: node.slice(1), env }
    },
    signal: signalIfSame,
    findGuard(child, at) {
      if (child.pid === undefined) return undefined
      if (at !== 'namespace') return identify(child.pid)
      return identify(childWhere(child.pid, (pid) => innerPid(pid) === 1))
    },
    findLeader(guard, inner, at) {
      return identify(at === 'namespace' ? childWhere(guard.pid, (pid) => innerPid(pid) === inner) : inner)
    },
    async sweep({ guard, leader, spawnId }) {
      // The init of a namespace is gone only when all of the namespace is.
      while (alive(guard)) {
        signalIfSame(guard.pid, guard.startTime, 'SIGKILL')
        await sleep(5)
      }
      // An adopted guard was not our child, nor is what it dropped: that is known by its group and its mark alone.
      const known = { guardPid: guard.pid, leaderPid: leader?.pid, spawnId, byMark: true }
      for (let left = membersOfGroup(known); left.length > 0; left = membersOfGroup(known)) {
        for (const { pid, startTime } of left) signalIfSame(pid, startTime, 'SIGKILL')
        await sleep(5)
      }
      // The sidecar has other children, so "no child left" can't be the proof here: five quiet rounds have to do.
      for (let quiet = 0; quiet < 5; ) {
        quiet = orphans.kill() ? 0 : quiet + 1
        await sleep(1)
      }
    },
    async close() {
      process.off('SIGCHLD', reap)
      return orphans.left()
    },
  }
}

function childWhere(parentPid: number, matches: (pid: number) => boolean): number | undefined {
  const all = () =>
    readAllStats()
      .filter((stat) => stat.parentPid === parentPid)
      .map(({ pid }) => pid)
  return (readChildren(parentPid) ?? all()).find(matches)
}

/** The number of a process in its innermost PID namespace. */
function innerPid(pid: number): number | undefined {
  try {
    const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    return Number(line?.[1]?.split(/\s+/).at(-1))
  } catch {
    return undefined
  }
}
