import { pathToFileURL } from 'node:url'
import { inspectorUrl } from './config/inspector-url.ts'
import { programPath } from './config/program-path.ts'
import { appVersion } from './config/version.ts'
import type { Closing } from './contract/status.ts'
import { AppEnd } from './lifecycle/app-end.ts'
import type { StopReason } from './lifecycle/component.ts'
import { withDeadline } from './lifecycle/deadline.ts'
import { ForceExit, type Guard } from './lifecycle/force-exit.ts'
import { OriginTrace } from './lifecycle/origin-trace.ts'
import { describeLeak, type Resource, ResourceAudit } from './lifecycle/resource-audit.ts'
import type { Phase } from './lifecycle/shutdown-coordinator.ts'
import { ShutdownRecord } from './lifecycle/shutdown-record.ts'
import { ThreadRegistry } from './lifecycle/thread-registry.ts'
import type { Logger } from './logging/logger.ts'

/** Often enough that a guard is known soon after it was started. */
const guardsEveryMs = 500
const watchdogMs = 5000
/** A large database that is migrated, or read through after a crash, on a slow disk. */
const startLimitMs = 10 * 60_000
/** What is being closed is given this long to go; a busy machine needs it. */
const auditMs = 2000

export interface EndOptions {
  readonly runId: string
  readonly logger: Logger
  /** `shutdown.log` and `last-shutdown.json`. */
  readonly files: { readonly logFile: string; readonly reportFile: string }
  readonly compileCacheDir: string
  /** Whose end is ours; null where nobody holds us. */
  readonly parentPid: number | null
  /** Whether origins of what is left are traced, which makes everything slower. */
  readonly diagnose: boolean
  /** Ends the start early, its reason is a StopReason: should a step of it not let go, its end is forced all the same. */
  readonly abort: AbortSignal
  readonly onClosing: (closing: Closing) => void
  /** As in `AppEndOptions`. */
  readonly onPhase?: (phase: Phase, at: 'begins' | 'ends') => void
}

export interface EndParts {
  readonly end: AppEnd
  readonly record: ShutdownRecord
  readonly threads: ThreadRegistry
  /** What the start is at, for the watchdog, which watches from the first call on. An end begins that by itself. */
  starting(step: string): void
  /** From now on a main thread that is silent hangs. */
  ready(): void
  /** Whom the watchdog tells to kill at once, should it come to that. */
  guardsAre(guards: () => readonly Guard[]): void
  /** Records as left what was not there at the beginning. @param isExpected is closed later. */
  audit(isExpected: (resource: Resource) => boolean): Promise<void>
}

/**
 * Everything that the end is made of: the sequence, its record, the watchdog that forces it, the threads and the audit of
 * what is left. The audit's baseline is taken here, so whoever calls has opened what stays open to the last.
 */
export function composeEnd(options: EndOptions): EndParts {
  const { runId, logger, files, parentPid } = options
  const trace = options.diagnose ? new OriginTrace(import.meta.dirname) : undefined
  trace?.start()
  const record = new ShutdownRecord(files)
  const forceExit = new ForceExit({
    runId,
    appVersion,
    ...files,
    workerFile: programPath('force-exit-worker'),
    nativeUrl: pathToFileURL(programPath('native-exit')).href,
    compileCacheDir: options.compileCacheDir,
    startLimitMs,
    watchStdin: parentPid !== null,
    parentPid,
  })
  const beginForced = ({ trigger, detail }: StopReason) => {
    watch()
    forceExit.begin(trigger, detail ?? null)
  }
  options.abort.addEventListener('abort', () => beginForced(options.abort.reason), { once: true })
  const end = new AppEnd({
    runId,
    appVersion,
    record,
    onClosing: options.onClosing,
    onBegin: beginForced,
    onPhase: options.onPhase,
    onRunning: (steps) => forceExit.note({ steps }),
  })
  const threads = new ThreadRegistry()
  end.coordinator.register({
    phase: 'threads',
    name: 'threads',
    deadlineMs: 4500,
    run: async (reason, force) => {
      try {
        await threads.stop(reason, force)
      } finally {
        for (const { name, how, ms } of threads.ends) {
          if (how === 'terminated') end.remark(`thread ${name} had to be terminated after ${ms} ms`)
        }
      }
    },
  })
  let started: Promise<void> | undefined
  const watch = () => {
    // At a breakpoint the main thread stands still, and is not to be ended for it.
    if (inspectorUrl() !== undefined) return
    started ??= forceExit
      .start(new AbortController().signal)
      .catch((err: unknown) => logger.warn({ err }, 'the watch against hanging is not what it should be'))
  }
  if (inspectorUrl() === undefined) {
    // Node aborts when it exits while a thread is loading a native module. Last of all, as this is registered first.
    end.finallyDo('watchdog', async () => {
      if (started) await withDeadline('start of the watchdog', watchdogMs, started)
      await withDeadline('end of the watchdog', watchdogMs, forceExit.stop())
    })
    void forceExit.closed.then(({ error }) => error && logger.error({ err: error }, 'the watch against hanging ended'))
  }
  const audit = new ResourceAudit(trace)
  audit.takeBaseline()
  return {
    end,
    record,
    threads,
    starting: (step) => {
      watch()
      if (end.closing === null) forceExit.note({ steps: [{ phase: 'start', name: step }] })
    },
    ready: () => {
      if (end.closing === null) forceExit.note({ steps: [] })
      forceExit.ready()
    },
    guardsAre: (guards) => {
      const telling = setInterval(
        () => forceExit.note({ guards: guards().map(({ pid, startTime }) => ({ pid, startTime })) }),
        guardsEveryMs,
      ).unref()
      end.finallyDo('word of the guards', async () => clearInterval(telling))
    },
    audit: async (isExpected) => {
      const watchdog = ({ kind, name }: Resource) => kind === 'thread' && name.includes(forceExit.name)
      // One timer is the deadline of the step that this runs in.
      const leaks = await audit.leaks({
        ownTimers: 1,
        withinMs: auditMs,
        isExpected: (resource) => watchdog(resource) || isExpected(resource),
      })
      trace?.stop()
      for (const leak of leaks) end.leave(describeLeak(leak))
    },
  }
}
