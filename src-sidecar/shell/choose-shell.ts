import type { ShellKind } from '../contract/status.ts'
import { findChromium } from './find-chromium.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface ChosenShell {
  readonly kind: ShellKind
  /** The browser for the app window; null: the default browser (kind `browser`), or none is needed. */
  readonly browser: string | null
  /** Why it is not the better one, as a sentence for the user; null when there is nothing to say. */
  readonly reason: string | null
}

/** Whether windows can open here. */
const hasDisplay = (env: Env, platform: NodeJS.Platform): boolean =>
  platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)

/** What shows the UI. `auto` is the browser's app window where one can open; what was asked for by name is tried in any case. */
export function chooseShell(
  choice: ShellKind | 'auto',
  env: Env,
  platform: NodeJS.Platform = process.platform,
  find: typeof findChromium = findChromium,
): ChosenShell {
  if (choice === 'none' || choice === 'neutralino') return { kind: choice, browser: null, reason: null }
  if (choice === 'auto' && !hasDisplay(env, platform)) {
    return { kind: 'none', browser: null, reason: 'There is no display for a window: open the printed address in a browser.' }
  }
  const browser = find(env, platform)
  const reason = browser
    ? null
    : 'No Chromium, Chrome or Edge was found for a window of its own: StableNew opens in the default browser.'
  return { kind: 'browser', browser, reason }
}
