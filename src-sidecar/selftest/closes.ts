import type { CloseName } from '../contract/selftest.ts'
import type { AppUnderTest } from './app-under-test.ts'

export interface Close {
  readonly title: string
  /** Whether a window is needed for it. */
  readonly window: boolean
  /** What the process that was started ends with: an exit code, or a signal. */
  readonly ends: number | NodeJS.Signals
  pull(app: AppUnderTest): Promise<void> | void
}

/** The ways to close the app. */
export const closes: Readonly<Record<CloseName, Close>> = {
  window: { title: 'the window’s close button', window: true, ends: 0, pull: (app) => app.tellWindow('close') },
  'exit-button': {
    title: 'the Exit button',
    window: false,
    ends: 0,
    pull: (app) => app.post('/api/shutdown', { trigger: 'exit-button' }),
  },
  'stdin-eof': { title: 'the end of standard input', window: false, ends: 0, pull: (app) => app.endInput() },
  sigterm: { title: 'SIGTERM', window: false, ends: 0, pull: (app) => app.signal('SIGTERM') },
  'sigkill-shell': { title: 'SIGKILL of the window', window: true, ends: 'SIGKILL', pull: (app) => app.signal('SIGKILL') },
}

/** Those that this system has. */
export const possibleCloses = (Object.keys(closes) as CloseName[]).filter(
  (name) => process.platform !== 'win32' || name !== 'sigterm',
)
