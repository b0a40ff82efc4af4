import type { ShellChoice } from './cli/command-line.ts'
import { AppError } from './errors/app-error.ts'
import type { StopTrigger } from './lifecycle/component.ts'
import type { Logger } from './logging/logger.ts'
import type { Containment } from './processes/spawn-contained.ts'
import { BrowserShell } from './shell/browser-shell.ts'
import { chooseShell } from './shell/choose-shell.ts'
import { NeutralinoShell } from './shell/neutralino-shell.ts'
import { NoShell } from './shell/no-shell.ts'

export type Shell = BrowserShell | NeutralinoShell | NoShell

export interface ShellOptions {
  readonly choice: ShellChoice
  /** The first line on stdin, where a Neutralino window started us. */
  readonly handshake: string | null
  readonly containment: Containment
  readonly profileFolder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  readonly url: () => string
  readonly allowOrigin: (origin: string) => void
  readonly open: (url: string) => void
  readonly notice: (message: string) => void
  readonly onClose: (trigger: StopTrigger) => void
  /** A page of the Neutralino window has come, and does not know where we are. */
  readonly onPage: () => void
  readonly isPaused: () => boolean
  readonly setPaused: (paused: boolean) => void
}

/** The window that was asked for, or the best that there can be; where it is a lesser one, `notice` says why. */
export function composeShell({ choice, handshake, ...options }: ShellOptions): Shell {
  const { kind, browser, reason } = chooseShell(choice, options.env)
  if (reason !== null) options.notice(reason)
  if (kind === 'none') return new NoShell()
  if (kind === 'browser') return new BrowserShell({ ...options, browser })
  if (handshake === null) throw new AppError('bad_request', '--shell neutralino is for the window itself: use npm start.')
  return new NeutralinoShell({ ...options, handshake })
}
