import { pathToFileURL } from 'node:url'
import { inspectorUrl } from './config/inspector-url.ts'
import { programPath } from './config/program-path.ts'
import { appVersion } from './config/version.ts'
import type { Closing } from './contract/status.ts'
import { AppEnd } from './lifecycle/app-end.ts'
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
  readonly onClosing: (closing: Closing) => void
  /** As in `AppEndOptions`. */
  readonly onPhase?: (phase: Phase, at: 'begins' | 'ends') => void
}

export interface EndParts {
  readonly end: AppEnd
  readonly record: ShutdownRecord
  readonly threads: ThreadRegistry
  /** Starts the watchdog, as the end does at its begin. Its thread costs a third of the start, so it comes when the app is ready. */
  watch(): void
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
    watchStdin: parentPid !== null,
    parentPid,
  })
  const end = new AppEnd({
    runId,
    appVersion,
    record,
    onClosing: options.onClosing,
    onBegin: ({ trigger, detail }) => {
      watch()
      forceExit.begin(trigger, detail ?? null)
    },
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
    watch,
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
