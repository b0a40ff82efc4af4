import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason, StopTrigger } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import type { ContainedProcess, Containment, ProcessClosed } from '../processes/spawn-contained.ts'
import { appWindowFlags } from './browser-flags.ts'

const graceMs = 3000
/** A browser that fails within this time has not shown its window. */
const startMs = 5000
/** Unix sockets have short names: Chromium fails when its temp folder's is longer than this. */
const longestTempPath = 60

export interface BrowserShellOptions {
  /** The Chromium for the app window; null opens the default browser. */
  readonly browser: string | null
  readonly containment: Containment
  readonly profileFolder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  readonly url: () => string
  /** Opens a URL in the default browser, beside the sidecar. */
  readonly open: (url: string) => void
  readonly notice: (message: string) => void
  readonly onClose: (trigger: StopTrigger) => void
}

/**
 * The UI as an app window of Chromium, with a profile of its own: an already running browser would take the URL over, and
 * nothing could be watched. Without a Chromium the default browser, whose pages the API watches.
 */
export class BrowserShell implements Component {
  readonly name = 'browser window'
  readonly kind = 'browser'
  readonly #options: BrowserShellOptions
  readonly #closed = deferred<ComponentExit>()
  #window: Promise<ContainedProcess> | undefined
  #stopped: Promise<void> | undefined

  constructor(options: BrowserShellOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Opens the window, or the default browser where that fails. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { browser, open, url } = this.#options
    if (browser === null) return open(url())
    const startedAt = performance.now()
    this.#window = this.#openWindow(browser)
    try {
      const window = await this.#window
      void window.closed.then((end) => this.#windowGone(end, performance.now() - startedAt))
    } catch (error) {
      this.#fallBack(asError(error).message)
    }
  }

  /** Does nothing of itself: the page gets a `front` event and raises its window. */
  async front(): Promise<void> {}

  /** Resolves when nothing of the browser is left. */
  stop(_reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(force)
    return this.#stopped
  }

  async #stop(force: AbortSignal): Promise<void> {
    const window = await this.#window?.catch(() => undefined)
    await window?.terminate(force)
    await rm(this.#tempFolder, { recursive: true, force: true })
    this.#closed.resolve({ name: this.name })
  }

  get #tempFolder(): string {
    return join(this.#options.profileFolder, 'tmp')
  }

  async #openWindow(browser: string): Promise<ContainedProcess> {
    const { containment, profileFolder, url } = this.#options
    await rm(this.#tempFolder, { recursive: true, force: true })
    await mkdir(this.#tempFolder, { recursive: true, mode: 0o700 })
    // Left by a browser that was killed. Nobody else uses this profile, as the data folder is locked.
    for (const name of ['SingletonLock', 'SingletonSocket', 'SingletonCookie'])
      await rm(join(profileFolder, name), { force: true })
    const flags = appWindowFlags({ url: url(), profileFolder, isRoot: process.getuid?.() === 0 })
    // In a PID namespace its own number would be that of somebody else out here, and its locks hold numbers.
    return containment.spawnContained(browser, flags, { role: 'window', level: 'shim', graceMs, env: this.#environment() })
  }

  #environment(): Record<string, string> {
    const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR } = this.#options.env
    const hasBus = DBUS_SESSION_BUS_ADDRESS || (XDG_RUNTIME_DIR && existsSync(join(XDG_RUNTIME_DIR, 'bus')))
    return {
      ...(this.#tempFolder.length <= longestTempPath ? { TMPDIR: this.#tempFolder } : {}),
      // Else the browser would start a session bus, which stays when its window has gone.
      ...(hasBus ? {} : { DBUS_SESSION_BUS_ADDRESS: 'disabled:' }),
    }
  }

  #windowGone({ outcome, exitCode, lastLines }: ProcessClosed, ms: number): void {
    if (this.#stopped) return
    if (outcome === 'exited' && exitCode !== 0 && ms < startMs) this.#fallBack(`exit code ${exitCode}; ${lastLines.at(-1) ?? ''}`)
    else this.#options.onClose('window-close')
  }

  #fallBack(why: string): void {
    this.#options.logger.warn({ why }, 'the app window did not open')
    this.#options.notice(`The app window could not be opened (${why}): StableNew opens in the default browser.`)
    this.#options.open(this.#options.url())
  }
}
