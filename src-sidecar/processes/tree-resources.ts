import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createConnection } from 'node:net'

/** Open descriptors of a process; null where the system does not tell. */
export function countDescriptors(pid: number): number | null {
  return attempt(() => readdirSync(`/proc/${pid}/fd`).length) ?? null
}

/** TCP ports that these processes listen on; empty where the system does not tell. */
export function listeningPorts(pids: readonly number[]): number[] {
  const ports = new Map<string, number>()
  for (const file of ['tcp', 'tcp6']) {
    for (const line of (attempt(() => readFileSync(`/proc/net/${file}`, 'latin1')) ?? '').split('\n').slice(1)) {
      const field = line.trim().split(/\s+/)
      const port = Number.parseInt(field[1]?.split(':')[1] ?? '', 16)
      if (field[3] === '0A') ports.set(`socket:[${field[9]}]`, port)
    }
  }
  const held = new Set<number>()
  for (const pid of pids) {
    for (const { target } of descriptorsOf(pid)) {
      const port = ports.get(target)
      if (port !== undefined) held.add(port)
    }
  }
  return [...held]
}

/** Who has a file below `folder` open, of all that we may look at: `node 4711: /path`. Empty where the system does not tell. */
export function holdersOf(folder: string): string[] {
  const found: string[] = []
  for (const pid of (attempt(() => readdirSync('/proc')) ?? []).map(Number).filter(Number.isInteger)) {
    for (const { target } of descriptorsOf(pid)) {
      if (target.startsWith(`${folder}/`)) found.push(`${nameOf(pid)} ${pid}: ${target}`)
    }
  }
  return found
}

/** What a process was started with, at most 200 characters; empty where the system does not tell. */
export function commandLineOf(pid: number): string {
  const text = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? ''
  return text.split('\0').join(' ').trim().slice(0, 200)
}

/** Whether somebody listens on this port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

const nameOf = (pid: number): string => (attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8')) ?? '').trim()

function descriptorsOf(pid: number): { target: string }[] {
  return (attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).flatMap((fd) => {
    const target = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`))
    return target === undefined ? [] : [{ target }]
  })
}

/** Whatever is looked at may be gone in the same moment, or be somebody else's. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
