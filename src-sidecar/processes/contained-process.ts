import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from 'pino'
import { AppError } from '../errors/app-error.ts'
import { OutputLines } from './output-lines.ts'
import type { ContainmentLevel, ContainmentPlatform } from './platform.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { FromShim, ToShim } from './shim-protocol.ts'

export interface StopPlan {
  /** Sent to the whole tree one after another, evenly over the grace. Default `['SIGTERM']`; Python: `['SIGINT', 'SIGTERM']`. */
  signals?: NodeJS.Signals[]
  /** The backend's own stop call, tried first and given 1,000 ms to take effect. */
  polite?: () => Promise<void>
}

export interface SpawnOptions {
  /** `backend`, `window`, `tool` … */
  role: string
  /** Default: the root folder, so that nobody's folder is held. */
  cwd?: string
  /** On top of the sidecar's own environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>
  /** From the first signal to SIGKILL. Default 5,000 ms. */
  graceMs?: number
  stop?: StopPlan
  /** A lower level than the machine's best, for programs that don't bear it. */
  level?: ContainmentLevel
  onLine?(stream: 'stdout' | 'stderr', line: string): void
  /** All output goes here, rotated at 5 MB, three old files kept. */
  logFile?: string
}

/** How a process ended, as data. */
export interface ProcessClosed {
  /** `exited` by itself, `killed` by a signal that was not ours, `terminated` by us. */
  outcome: 'exited' | 'killed' | 'spawn_failed' | 'terminated'
  exitCode: number | null
  signal: string | null
  lastLines: string[]
  /** Each step of the termination and how long it took. */
  steps: { name: string; ms: number }[]
  /** Grace was not enough. */
  killed: boolean
}

export interface ContainedProcess {
  /** The guard, whose end means the end of the tree. */
  readonly identity: ProcessIdentity
  /** The command itself, by its number on this machine; undefined when it was gone before it could be seen. */
  readonly leader: ProcessIdentity | undefined
  readonly level: ContainmentLevel
  readonly role: string
  /** The last 200. */
  lastLines(): string[]
  /** Settles when NOTHING of the tree is left; never rejects. */
  readonly closed: Promise<ProcessClosed>
  /** Ends the tree. Calls share one termination; `force` skips the grace, also later. Resolves like `closed`. */
  terminate(force?: AbortSignal): Promise<ProcessClosed>
}

const POLITE_MS = 1000
/** A guard that has not reported by then is taken for hung and killed: grace + this. */
const GUARD_SLACK_MS = 1500
const ranks: ContainmentLevel[] = ['group', 'shim', 'namespace']

/** Starts a guard and through it the command. `started` rejects with AppError `spawn_failed`. */
export function startContained(
  platform: ContainmentPlatform,
  context: { env: Readonly<Record<string, string | undefined>>; runToken: string; logger: Logger },
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ContainedProcess & { started: Promise<void> } {
  const level = lowest(platform.facts.level, options.level)
  const graceMs = options.graceMs ?? 5000
  const log = context.logger.child({ role: options.role })
  const token = { STABLENEW_RUN_TOKEN: context.runToken }
  const steps: ProcessClosed['steps'] = []
  const output = new OutputLines((stream, line) => options.onLine?.(stream, line))
  let identity: ProcessIdentity = { pid: 0, startTime: '', bootId: '' }
  let leader: ProcessIdentity | undefined
  let ended: { exitCode: number | null; signal: string | null } | undefined
  let failure: string | undefined
  let empty = false
  let killed = false
  let terminating = false
  let forced = false
  let ending = false

  const guard = platform.guard(level)
  const child = spawn(guard.file, guard.args, {
    cwd: '/',
    env: { ...guard.env, ...token },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  if (child.pid !== undefined) {
    platform.adoptChild(child)
    identity = platform.identify(child.pid) ?? identity
  }
  const tell = (message: ToShim) => {
    // A guard that is gone has nothing to be told; its end is noticed elsewhere.
    if (child.connected) child.send(message, () => {})
  }

  const gone = guardGone(child, output)
  const started = Promise.withResolvers<void>()
  child.on('message', (message: FromShim) => {
    if (message.type === 'started') {
      identity = platform.findGuard(child, level) ?? identity
      leader = platform.findLeader(identity, message.pid, level)
      log.info({ command, containment: level, pid: identity.pid, leaderPid: leader?.pid }, 'process started')
      started.resolve()
    } else if (message.type === 'spawn_failed') failure = message.message
    else if (message.type === 'leader_exited') ended = message
    else if (message.type === 'step') steps.push({ name: message.name, ms: message.ms })
    else {
      empty = true
      killed = message.killed
    }
  })

  const finish = async (): Promise<ProcessClosed> => {
    const guardError = await gone
    if (!empty && child.pid !== undefined && failure === undefined) {
      const from = performance.now()
      log.warn({ pid: identity.pid }, 'the guard ended before its tree did')
      await platform.sweep(identity)
      killed = true
      // The command went down with its guard, or shortly after it.
      ended ??= { exitCode: null, signal: 'SIGKILL' }
      steps.push({ name: 'sweep', ms: Math.round(performance.now() - from) })
    }
    failure ??= guardError?.message
    const result: ProcessClosed = {
      outcome: failure !== undefined ? 'spawn_failed' : terminating ? 'terminated' : ended?.signal ? 'killed' : 'exited',
      exitCode: ended?.exitCode ?? null,
      signal: ended?.signal ?? null,
      lastLines: output.lastLines(),
      steps,
      killed,
    }
    if (failure !== undefined) {
      started.reject(
        new AppError('spawn_failed', `${options.role} could not be started: ${failure}`, { data: { command, ...result } }),
      )
    } else started.resolve()
    log.info({ pid: identity.pid, ...result, lastLines: undefined }, 'process closed')
    return result
  }
  const closed = finish()

  const killGuard = () => {
    if (platform.signal(identity, 'SIGKILL')) log.warn({ pid: identity.pid }, 'the guard did not answer and was killed')
  }
  const within = (ms: number) => settledWithin(closed, ms)
  const kill = async () => {
    if (forced) return
    forced = true
    tell({ type: 'kill' })
    if (!(await within(GUARD_SLACK_MS))) killGuard()
  }
  const end = async () => {
    if (options.stop?.polite && !forced) {
      const from = performance.now()
      const asked = await settledWithin(options.stop.polite(), POLITE_MS)
      if (asked && !forced) await within(POLITE_MS - (performance.now() - from))
      steps.push({ name: 'polite', ms: Math.round(performance.now() - from) })
    }
    if (forced) return
    tell({ type: 'terminate' })
    if (!(await within(graceMs + GUARD_SLACK_MS)) && !forced) killGuard()
  }

  tell({
    type: 'start',
    command,
    args: [...args],
    cwd: options.cwd ?? '/',
    env: definedOnly({ ...context.env, ...options.env, ...token }),
    signals: options.stop?.signals ?? ['SIGTERM'],
    graceMs,
    setpriv: platform.setpriv,
  })
  started.promise.catch(() => {})

  return {
    get identity() {
      return identity
    },
    get leader() {
      return leader
    },
    level,
    role: options.role,
    started: started.promise,
    closed,
    lastLines: () => output.lastLines(),
    terminate(force) {
      if (!terminating && ended === undefined) terminating = true
      if (force?.aborted) void kill()
      else if (force) {
        const cutGrace = () => void kill()
        force.addEventListener('abort', cutGrace)
        void closed.then(() => force.removeEventListener('abort', cutGrace))
      }
      if (!ending) {
        ending = true
        void end()
      }
      return closed
    },
  }
}

/** Resolves when the guard has exited and all that it said and its tree wrote has been read. */
function guardGone(child: ChildProcess, output: OutputLines): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let error: Error | undefined
    let exited = false
    const readers = (['stdout', 'stderr'] as const).map((name) => {
      const reader = output.reader(name)
      child[name]?.on('data', reader.write)
      return reader
    })
    const finish = () => {
      for (const reader of readers) reader.end()
      resolve(error)
    }
    child.on('error', (problem) => {
      error ??= problem
      if (child.pid === undefined) finish()
    })
    const disconnected = new Promise<void>((done) => (child.connected ? child.once('disconnect', done) : done()))
    child.on('exit', () => {
      exited = true
      // Whoever was handed the pipe by other means than inheritance must not hold us up.
      setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, 500).unref()
    })
    child.on('close', () => void disconnected.then(() => exited && finish()))
  })
}

/** Whether `work` settled within `ms`; how it settled does not matter. */
async function settledWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), false)
  })
  const settled = work.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}

const lowest = (a: ContainmentLevel, b: ContainmentLevel = a) => (ranks.indexOf(a) < ranks.indexOf(b) ? a : b)

const definedOnly = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
