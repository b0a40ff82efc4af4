import { type ChildProcess, spawn } from 'node:child_process'
import type { Server } from 'node:net'
import { findCommand } from './find-command.ts'
import type { FromShim, ToShim } from './shim-protocol.ts'
import { type AdoptingLink, listenForSidecar, openOwnLog } from './shim-server.ts'

/** What a shim needs of the tree below it; how far it reaches differs by level. */
export interface ProcessTree {
  /** To all of it, and continues what is stopped. */
  signal(signal: NodeJS.Signals): void
  /** One round of SIGKILL; called again until empty. */
  kill(): void
  /** Whether nothing is left; reaps what it finds dead. */
  empty(): boolean
  /** Takes dead orphans away while the command runs, where there can be some. */
  reap?(): void
  /** Told once, as soon as the command runs. */
  started?(leader: ChildProcess): void
}

/**
 * The parent of one backend: starts it, and ends its whole tree when told to, when the sidecar is gone, or when the
 * command itself has ended. Imports as little as possible: each backend has one of these.
 *
 * States, changed only here: waiting → running → stopping (signals, grace) → killing → empty.
 */
export function runShim(createTree: (isLibuvChild: (pid: number) => boolean) => ProcessTree): void {
  let leader: ChildProcess | undefined
  let order: Extract<ToShim, { type: 'start' }> | undefined
  let leaderRuns = false
  let stopping = false
  let killNow = false
  let wake = () => {}
  const tree = createTree((pid) => pid === leader?.pid)

  let released = false
  let server: Server | undefined
  let adopter: AdoptingLink | undefined

  const tell = (message: FromShim) => {
    if (adopter) adopter.send(message)
    else if (process.connected) process.send?.(message, undefined, undefined, () => {})
  }

  /** Nothing else keeps this process running; it ends by itself once the messages are out. */
  const letGo = () => {
    server?.close()
    adopter?.close()
    if (process.connected) process.disconnect()
  }

  /** The sidecar's end is the end of all of this, unless it said before that it is not. */
  const sidecarGone = () => {
    adopter = undefined
    if (!released) void stop()
  }

  /** Until something happens that may have emptied the tree, or `ms` have passed. */
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        // libuv has to look at its own child first.
        setImmediate(resolve)
      }
    })

  const emptyWithin = async (ms: number) => {
    const until = performance.now() + ms
    while (!tree.empty()) {
      const left = until - performance.now()
      if (left <= 0 || killNow) return false
      await pause(Math.min(left, 25))
    }
    return true
  }

  const step = async (name: string, work: () => Promise<boolean>) => {
    const from = performance.now()
    const done = await work()
    tell({ type: 'step', name, ms: Math.round(performance.now() - from) })
    return done
  }

  const stop = async () => {
    if (stopping || !order) return
    stopping = true
    const { signals, graceMs } = order
    let empty = tree.empty()
    for (const signal of signals) {
      if (empty || killNow) break
      empty = await step(signal, () => {
        tree.signal(signal)
        return emptyWithin(graceMs / signals.length)
      })
    }
    const killed = !empty
    if (!empty) {
      await step('SIGKILL', async () => {
        killNow = false
        for (let ms = 1; !tree.empty(); ms = Math.min(ms * 2, 50)) {
          tree.kill()
          await pause(ms)
        }
        return true
      })
    }
    // A zombie holds nothing, but how it ended is known only when libuv has looked at it.
    while (leaderRuns) await pause(5)
    tell({ type: 'empty', killed })
    letGo()
  }

  const kill = () => {
    killNow = true
    wake()
    void stop()
  }

  const start = (request: Extract<ToShim, { type: 'start' }>) => {
    const failed = (message: string) => {
      tell({ type: 'spawn_failed', message })
      letGo()
    }
    const found = findCommand(request.command, request.cwd, request.env)
    if ('problem' in found) return failed(found.problem)
    const [file, args] = request.setpriv
      ? [request.setpriv, ['--pdeathsig', 'KILL', '--', found.path, ...request.args]]
      : [found.path, request.args]
    const log = request.persistent ? openOwnLog(request.persistent.logFile) : 'inherit'
    const child = spawn(file, args, {
      cwd: request.cwd,
      env: request.env,
      stdio: ['ignore', log, log],
      detached: process.platform !== 'win32',
    })
    child.on('error', (error) => failed(error.message))
    child.on('exit', (exitCode, signal) => {
      leaderRuns = false
      tell({ type: 'leader_exited', exitCode, signal })
      wake()
      void stop()
    })
    if (child.pid === undefined) return
    order = request
    leader = child
    leaderRuns = true
    tree.started?.(child)
    if (request.persistent) {
      server = listenForSidecar(request.persistent.socket, {
        wanted: () => released && !stopping,
        link: (link) => {
          adopter = link
          released = false
        },
        message: take,
        end: sidecarGone,
      })
    }
    tell({ type: 'started', pid: child.pid })
  }

  const take = (message: ToShim) => {
    if (message.type === 'start') start(message)
    else if (message.type === 'terminate') void stop()
    else if (message.type === 'kill') kill()
    else {
      released = true
      tell({ type: 'released' })
    }
  }
  process.on('message', take)
  process.on('disconnect', sidecarGone)
  const asked = process.platform === 'win32' ? [] : (['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  for (const signal of asked) process.on(signal, () => (stopping ? kill() : void stop()))
  process.on('SIGQUIT', kill)
  process.on('SIGCHLD', () => {
    tree.reap?.()
    wake()
  })
}
