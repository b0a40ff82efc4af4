/** What asked for the end. The first one wins and is recorded. */
export type StopTrigger =
  | 'exit-button'
  | 'api'
  | 'window-close'
  | 'tray-quit'
  | 'last-page-closed'
  | 'stdin-eof'
  | 'shell-gone'
  | 'parent-gone'
  | 'SIGINT'
  | 'SIGTERM'
  | 'SIGHUP'
  | 'SIGBREAK'
  | 'uncaught-error'
  | 'start-failed'
  | 'work-done'
  | 'replaced'

export interface StopReason {
  readonly trigger: StopTrigger
  /** A short sentence for the log, where the trigger alone does not say enough. */
  readonly detail?: string
  /** Whether the running image may finish; absent: as the settings say. */
  readonly runningImage?: 'finish' | 'cancel'
}

/** How a component ended, as data: `error` is set when it ended by itself and should not have. */
export interface ComponentExit {
  readonly name: string
  readonly error?: Error
}

/**
 * Whatever holds a resource. Constructors do nothing. `stop` works before, during and after `start`, and concurrent
 * calls share one promise. `force` skips grace, never verification.
 */
export interface Component {
  readonly name: string
  /** Resolves when ready; on failure it has released what it took. */
  start(signal: AbortSignal): Promise<void>
  /** Resolves only when nothing it owns remains. */
  stop(reason: StopReason, force: AbortSignal): Promise<void>
  /** Settles once, also on a crash; never rejects. */
  readonly closed: Promise<ComponentExit>
}
