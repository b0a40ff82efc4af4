import koffi from 'koffi'
import type { NativeExit } from '../lifecycle/force-exit-shared.ts'

// How a thread ends the whole process although the main thread hangs. (`process.exit` in a worker ends the worker alone,
// and SIGKILL leaves no exit code.) Loaded by URL into the thread of lifecycle/force-exit.ts.

const native = process.platform === 'win32' ? windows() : await posix()
export const { exitNow, exitWithin, stdinHungUp, watchParent, killGuard } = native

async function posix(): Promise<NativeExit> {
  const linux = process.platform === 'linux'
  const libc = koffi.load(null)
  const exit = libc.func('void _exit(int code)')
  const alarm = libc.func('uint alarm(uint seconds)')
  const poll = libc.func('int poll(void *fds, ulong count, int timeoutMs)')
  // Only Linux tells that the other end of a socket (Node's kind of pipe) will write no more.
  const POLLRDHUP = linux ? 0x2000 : 0
  const POLLERR = 0x8
  const POLLHUP = 0x10
  const stdin = Buffer.alloc(8)
  stdin.writeInt16LE(POLLRDHUP, 4)
  const signal = linux ? (await import('./signal-if-same.ts')).signalIfSame : (await import('./signal-checked.ts')).signalChecked
  return {
    exitNow: (code) => exit(code),
    exitWithin: (seconds) => alarm(seconds),
    stdinHungUp: () => poll(stdin, 1, 0) === 1 && (stdin.readInt16LE(6) & (POLLHUP | POLLERR | POLLRDHUP)) !== 0,
    watchParent: (pid) => () => process.ppid !== pid,
    // Not through the channel: a message of the main thread may be stuck in the middle of it.
    killGuard: (pid, startTime) => signal(pid, startTime, 'SIGQUIT'),
  }
}

function windows(): NativeExit {
  const kernel = koffi.load('kernel32.dll')
  const currentProcess = kernel.func('void *GetCurrentProcess()')
  const terminate = kernel.func('bool TerminateProcess(void *process, uint code)')
  const open = kernel.func('void *OpenProcess(uint access, bool inherit, uint pid)')
  const wait = kernel.func('uint WaitForSingleObject(void *handle, uint ms)')
  const SYNCHRONIZE = 0x100000
  return {
    // ExitProcess would wait for the lock of the loader, which the main thread may hold.
    exitNow: (code) => terminate(currentProcess(), code),
    exitWithin: () => {},
    // Asking a pipe waits for the read that the main thread has begun on it; the parent's end says the same.
    stdinHungUp: () => false,
    watchParent: (pid) => {
      const parent = open(SYNCHRONIZE, false, pid)
      return () => parent !== null && wait(parent, 0) === 0
    },
    // Its lifeline and its job object end with this process.
    killGuard: () => false,
  }
}
