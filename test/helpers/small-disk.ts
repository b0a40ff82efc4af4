import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file system of its own at a folder, which only the program sees that is started with `prefix`. */
export interface SmallDisk {
  readonly prefix: readonly string[]
  /** The same file as the program `pid` sees it. */
  at(pid: number, ...names: string[]): string
  /** Takes all the room that is left. */
  fill(pid: number): void
  /** Gives it back. */
  free(pid: number): void
  /** @param how `ro`, `rw` */
  remount(pid: number, how: string): void
  /** Leaves the folder below it. */
  unmount(pid: number): void
  /** A new one at the same place. */
  mount(pid: number): void
}

const mounting = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c']

/** Whether this system lets us mount one: Linux with user namespaces. */
export const canMount =
  process.platform === 'linux' && spawnSync(mounting[0]!, [...mounting.slice(1), 'mount -t tmpfs tmpfs /tmp']).status === 0

/** @param size as tmpfs has it: `8m` */
export function smallDisk(folder: string, size: string): SmallDisk {
  const at = (pid: number, ...names: string[]) => join('/proc', String(pid), 'root', folder, ...names)
  return {
    prefix: [...mounting, `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`, folder],
    at,
    fill(pid) {
      for (const bytes of [1 << 20, 4096])
        try {
          for (let part = 0; ; part++) writeFileSync(at(pid, `filler-${bytes}-${part}`), Buffer.alloc(bytes), { flag: 'wx' })
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
    },
    free(pid) {
      for (const bytes of [1 << 20, 4096])
        for (let part = 0; part < 5000; part++) rmSync(at(pid, `filler-${bytes}-${part}`), { force: true })
    },
    remount: (pid, how) => inside(pid, 'mount', '-o', `remount,${how}`, folder),
    unmount: (pid) => inside(pid, 'umount', '--lazy', folder),
    mount: (pid) => inside(pid, 'mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder),
  }
}

function inside(pid: number, ...command: string[]): void {
  const into = ['--target', String(pid), '--user', '--mount', '--preserve-credentials']
  const { status, stderr } = spawnSync('nsenter', [...into, ...command])
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
}
