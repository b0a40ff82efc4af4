import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

export interface FileTrace {
  /** Where the file that has this descriptor now was opened; undefined for one that native code has opened. */
  originOf(fd: number): string | undefined
  /** Gives Node its own functions back. */
  stop(): void
}

/**
 * Remembers where files are opened, which no async hook tells: wraps Node's ways to open and close one until it is stopped.
 * @param here says where the calling code is
 */
export function traceFiles(here: () => string | undefined): FileTrace {
  const { open, openSync, close, closeSync } = fs
  const openHandle = fs.promises.open
  const origins = new Map<number, string>()
  const opened = (fd: number, at: string | undefined) => at !== undefined && origins.set(fd, at)

  fs.openSync = (...args) => {
    const fd = openSync(...args)
    opened(fd, here())
    return fd
  }
  fs.open = ((...args: unknown[]) => {
    const at = here()
    const callback = args.pop() as (error: Error | null, fd: number) => void
    const done = (error: Error | null, fd: number) => {
      if (error === null) opened(fd, at)
      callback(error, fd)
    }
    return Reflect.apply(open, fs, [...args, done])
  }) as typeof open
  fs.promises.open = async (...args) => {
    const at = here()
    const handle = await openHandle(...args)
    const { fd } = handle
    opened(fd, at)
    // It is an emitter, which its type does not know.
    const emitter = handle as unknown as NodeJS.EventEmitter
    emitter.once('close', () => origins.delete(fd))
    return handle
  }
  fs.closeSync = (fd) => {
    origins.delete(fd)
    closeSync(fd)
  }
  fs.close = ((fd, done) => {
    origins.delete(fd)
    close(fd, done)
  }) as typeof close
  syncBuiltinESMExports()

  return {
    originOf: (fd) => origins.get(fd),
    stop: () => {
      Object.assign(fs, { open, openSync, close, closeSync })
      fs.promises.open = openHandle
      syncBuiltinESMExports()
    },
  }
}
