import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import koffi from 'koffi'

const libc = koffi.load(null)
const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)')
const waitid = libc.func('int waitid(int type, uint id, void *info, int options)')
const waitpid = libc.func('int waitpid(int pid, void *status, int options)')
const kill = libc.func('int kill(int pid, int signal)')
const syscall = libc.func('long syscall(long number, long a, long b, long c, long d)')

const PR_SET_CHILD_SUBREAPER = 36
const P_ALL = 0
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x1000000
// The same numbers on every architecture that Node runs on.
const SYS_PIDFD_SEND_SIGNAL = 424
const SYS_PIDFD_OPEN = 434
/** `si_pid` in siginfo_t: behind three ints, padded to 8 bytes on 64-bit systems. */
const SI_PID_OFFSET = process.arch === 'arm' || process.arch === 'ia32' ? 12 : 16

/** From now on orphans below this process become its children instead of pid 1's. False when the kernel refuses. */
export const becomeSubreaper = (): boolean => prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) === 0

/**
 * An exited child that nobody has reaped yet, left as it is.
 * `childless` means that there is no child at all, dead or alive: the only sound proof that a subreaper's tree is empty.
 */
export function peekExitedChild(): number | 'none' | 'childless' {
  const info = Buffer.alloc(128)
  if (waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) {
    return koffi.errno() === constants.errno.ECHILD ? 'childless' : 'none'
  }
  return info.readInt32LE(SI_PID_OFFSET) || 'none'
}

/** Reaps one exited child. Never call it for a child of libuv, which would wait for it for ever. */
export const reapChild = (pid: number): boolean => waitpid(pid, null, WNOHANG) === pid

/** `kill(2)`; unlike `process.kill` it returns false instead of throwing. */
export const rawKill = (pid: number, signal: NodeJS.Signals): boolean => kill(pid, constants.signals[signal]) === 0

/** A descriptor that means this very process, whatever happens to its number later; undefined when it is gone or not supported. */
export function openPidfd(pid: number): number | undefined {
  const fd = Number(syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0))
  return fd < 0 ? undefined : fd
}

export const sendPidfdSignal = (fd: number, signal: NodeJS.Signals): boolean =>
  Number(syscall(SYS_PIDFD_SEND_SIGNAL, fd, constants.signals[signal], 0, 0)) === 0

/** Whether the kernel has process descriptors (5.3 and later; some container filters refuse them). */
export function pidfdSupported(): boolean {
  const fd = openPidfd(process.pid)
  if (fd === undefined) return false
  closeSync(fd)
  return true
}
