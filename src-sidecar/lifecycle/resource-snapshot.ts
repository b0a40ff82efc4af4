import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** `request`: something asked of the system and not answered yet. */
export type ResourceKind = 'timer' | 'socket' | 'pipe' | 'file' | 'watcher' | 'thread' | 'child' | 'request'

export interface Resource {
  readonly kind: ResourceKind
  /** The same for the same thing in two snapshots. */
  readonly key: string
  /** For people. */
  readonly name: string
  readonly fd?: number
  readonly pid?: number
}

/**
 * Threads that the runtime and native packages keep for the life of the process, by the names that they were seen with in
 * Node 24: V8's workers and delayed tasks, the inspector's signal thread, libuv's pool (from the first file or name
 * look-up on), sharp's pool, the kernel's threads for io_uring.
 */
const runtimeThreads = /^(V8Worker|DelayedTaskSche|SignalInspector|libuv-worker|libvips worker|iou-(sqp|wrk)-.*)$/

/**
 * Descriptors that no program opens by itself: what an event loop is made of, and libuv's spare one on /dev/null (held
 * from the first server on, to turn somebody away when there are none left). An inotify instance stays open after its
 * last watch; the watches themselves are counted.
 */
const runtimeDescriptors = /^(anon_inode:\[(eventpoll|io_uring|eventfd)\]|anon_inode:inotify|\/dev\/null)$/

/** What `process.getActiveResourcesInfo` tells and /proc tells better. */
const seenInProc = /^(TCP|UDP|TLS|Pipe|TTY|FSEvent|Process|Signal|MessagePort|FileHandle)/

const handleKinds: readonly [RegExp, ResourceKind][] = [
  [/^(Timeout|Immediate)$/, 'timer'],
  [/^(TCP|UDP|TLS)/, 'socket'],
  [/^(Pipe|TTY)/, 'pipe'],
  [/^(FSEvent|StatWatcher)/, 'watcher'],
  [/^Process/, 'child'],
]

/** Whether descriptors, threads, children and watches can be known. Elsewhere than on Linux they are left out. */
export const hasProc = process.platform === 'linux'

/** All that this process holds now, but for what the runtime keeps for itself. Timers without a ref are not seen. */
export function takeSnapshot(): Resource[] {
  const handles = process.getActiveResourcesInfo().filter((type) => !hasProc || !seenInProc.test(type))
  const counted = numbered(
    handles.map((type) => ({ kind: handleKinds.find(([like]) => like.test(type))?.[1] ?? 'request', name: type })),
  )
  return hasProc ? [...counted, ...descriptors(), ...threads(), ...children()] : counted
}

/** Things without a name of their own are told apart by their number: the third timer, the fourth. */
function numbered(things: { kind: ResourceKind; name: string }[]): Resource[] {
  const seen = new Map<string, number>()
  return things.map(({ kind, name }) => {
    const number = (seen.get(name) ?? 0) + 1
    seen.set(name, number)
    return { kind, name, key: `${name} ${number}` }
  })
}

function descriptors(): Resource[] {
  // The descriptor of this very reading is gone by now, and can't be read.
  const all = list('/proc/self/fd').flatMap((fd) => {
    const target = attempt(() => readlinkSync(`/proc/self/fd/${fd}`))
    return target === undefined ? [] : [{ fd: Number(fd), target }]
  })
  return all.flatMap(({ fd, target }): Resource[] => {
    if (target === 'anon_inode:inotify') return watches(fd)
    if (runtimeDescriptors.test(target)) return []
    const key = `${fd} ${target}`
    if (target.startsWith('socket:')) return [{ kind: 'socket', key, fd, name: target }]
    if (!target.startsWith('pipe:')) return [{ kind: 'file', key, fd, name: target }]
    // Both ends in one process: an event loop wakes itself with it.
    const own = all.filter((other) => other.target === target).length > 1
    return own ? [] : [{ kind: 'pipe', key, fd, name: target }]
  })
}

function watches(fd: number): Resource[] {
  const lines = read(`/proc/self/fdinfo/${fd}`).matchAll(/^inotify wd:(\w+) ino:(\w+)/gm)
  return [...lines].map(([, wd, inode]) => {
    return { kind: 'watcher', key: `${fd} ${wd} ${inode}`, name: `inode ${Number.parseInt(inode ?? '', 16)}` }
  })
}

function threads(): Resource[] {
  return list('/proc/self/task').flatMap((id): Resource[] => {
    const name = read(`/proc/self/task/${id}/comm`).trim()
    return name === '' || runtimeThreads.test(name) ? [] : [{ kind: 'thread', key: id, name }]
  })
}

function children(): Resource[] {
  const numbers = list('/proc/self/task').flatMap((id) => read(`/proc/self/task/${id}/children`).split(' ').filter(Boolean))
  return numbers.map((pid) => {
    return { kind: 'child', key: pid, pid: Number(pid), name: `${read(`/proc/${pid}/comm`).trim()} (pid ${pid})` }
  })
}

/** Says of sockets what they are connected to. Not part of a snapshot, as the kernel takes 5 ms for each list. */
export function withSocketNames(resources: readonly Resource[]): Resource[] {
  if (!resources.some(({ kind }) => kind === 'socket')) return [...resources]
  const names = socketNames()
  return resources.map((resource) => ({ ...resource, name: names.get(resource.name) ?? resource.name }))
}

/** `socket:[inode]` → what it is connected to. */
function socketNames(): Map<string, string> {
  const names = new Map<string, string>()
  for (const protocol of ['tcp', 'tcp6', 'udp', 'udp6']) {
    for (const line of read(`/proc/self/net/${protocol}`).split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/)
      const peer = state === '0A' ? 'listening' : `to port ${port(remote)}`
      names.set(`socket:[${inode}]`, `${protocol} port ${port(local)} ${peer}`)
    }
  }
  for (const line of read('/proc/self/net/unix').split('\n').slice(1)) {
    const [, , , , , , inode, path] = line.trim().split(/\s+/)
    names.set(`socket:[${inode}]`, `unix socket ${path ?? 'without a name'}`)
  }
  return names
}

const port = (address = '') => Number.parseInt(address.split(':')[1] ?? '', 16)
const list = (folder: string) => attempt(() => readdirSync(folder)) ?? []
const read = (file: string) => attempt(() => readFileSync(file, 'latin1')) ?? ''

/** Whatever is looked at may be gone in the same moment. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
