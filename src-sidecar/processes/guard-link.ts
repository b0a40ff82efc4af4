import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { withDeadline } from '../lifecycle/deadline.ts'
import { onJsonLine, sendJsonLine } from './json-lines.ts'
import type { FromShim, ToShim } from './shim-protocol.ts'

/** The sidecar's end of a shim's lifeline. */
export interface GuardLink {
  readonly child: ChildProcess | undefined
  send(message: ToShim): void
  onMessage(listener: (message: FromShim) => void): void
  /** Closes the lifeline; only after a release is that not the end of the tree. */
  letGo(): void
  /** Resolves when the guard has gone and all that it said and its tree wrote has been read; with the error of a start. */
  readonly gone: Promise<Error | undefined>
}

/** Starts a guard. `onOutput` gets the raw output, `onEnd` its end. */
export function spawnGuard(options: {
  file: string
  args: string[]
  env: Record<string, string>
  /** False where the output goes to a file of its own. */
  readOutput: boolean
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void
}): GuardLink {
  const out = options.readOutput ? 'pipe' : 'ignore'
  const child = spawn(options.file, options.args, {
    // Nobody's folder is held, and a terminal's Ctrl+C does not get past the sidecar.
    cwd: '/',
    // On Windows it gets a hidden console of its own instead, for Ctrl+Break.
    detached: process.platform !== 'win32',
    windowsHide: true,
    env: options.env,
    stdio: ['ignore', out, out, 'ipc'],
  })
  child.stdout?.on('data', (chunk) => options.onOutput('stdout', chunk))
  child.stderr?.on('data', (chunk) => options.onOutput('stderr', chunk))
  let letGo = () => {}
  const gone = new Promise<Error | undefined>((resolve) => {
    let error: Error | undefined
    letGo = () => {
      child.unref()
      if (child.connected) child.disconnect()
      resolve(undefined)
    }
    const disconnected = new Promise<void>((done) => {
      if (child.connected) child.once('disconnect', done)
      else done()
    })
    child.on('error', (problem) => {
      error ??= problem
      if (child.pid === undefined) resolve(error)
    })
    child.on('exit', () => {
      // Whoever was handed the pipe by other means than inheritance must not hold us up.
      setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, 500).unref()
    })
    child.on('close', () => void disconnected.then(() => resolve(error)))
  })
  return {
    child,
    gone,
    letGo,
    send: (message) => {
      // A guard that is gone has nothing to be told; its end is noticed elsewhere.
      if (child.connected) child.send(message, () => {})
    },
    onMessage: (listener) => child.on('message', listener),
  }
}

/**
 * Takes over a guard that an earlier sidecar released.
 * @throws when it does not listen (any more), belongs to another sidecar already, or does not answer within 2,000 ms
 */
export async function connectGuard(socket: string): Promise<GuardLink> {
  const connection = connect(socket)
  await once(connection, 'connect')
  const listeners: ((message: FromShim) => void)[] = []
  const adopted = Promise.withResolvers<void>()
  onJsonLine(connection, (value) => {
    const message = value as FromShim
    if (message.type === 'adopted') adopted.resolve()
    for (const listener of listeners) listener(message)
  })
  connection.once('close', () => adopted.reject(new Error('it belongs to another sidecar')))
  try {
    await withDeadline('the answer of the guard', 2000, adopted.promise)
  } catch (thrown) {
    connection.destroy()
    throw thrown
  }
  let letGo = () => {}
  const gone = new Promise<undefined>((resolve) => {
    letGo = () => {
      connection.end()
      resolve(undefined)
    }
    connection.once('close', () => resolve(undefined))
  })
  return {
    child: undefined,
    gone,
    letGo,
    send: (message) => sendJsonLine(connection, message),
    onMessage: (listener) => listeners.push(listener),
  }
}
