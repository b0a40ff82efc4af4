import { z } from 'zod'
import type { Component, ComponentExit, StopReason, StopTrigger } from '../lifecycle/component.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import { type Handshake, parseHandshake } from './handshake.ts'
import { NeutralinoSocket } from './neutralino-socket.ts'
import { trayOptions } from './tray.ts'

const exitMs = 2000
const clickSchema = z.object({ id: z.string() })

export interface NeutralinoShellOptions {
  /** The line that came on stdin. */
  readonly handshake: string
  readonly logger: Logger
  readonly allowOrigin: (origin: string) => void
  readonly onClose: (trigger: StopTrigger) => void
  /** A page has come and must be told where we are: what was said before, between two pages, nobody heard. */
  readonly onPage: () => void
  readonly isPaused: () => boolean
  readonly setPaused: (paused: boolean) => void
}

/**
 * The sidecar's side of the Neutralino window: hears of its closing, and ends it when everything else has ended. The tray
 * is served here and not in the page, so that Quit works with a page that has crashed; it goes with the window's process.
 */
export class NeutralinoShell implements Component {
  readonly name = 'Neutralino window'
  readonly kind = 'neutralino'
  readonly #options: NeutralinoShellOptions
  readonly #closed = deferred<ComponentExit>()
  #starting: Promise<NeutralinoSocket> | undefined
  #stopped: Promise<void> | undefined
  #trayPaused: boolean | undefined

  constructor(options: NeutralinoShellOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** @throws AppError as `parseHandshake` and `NeutralinoSocket.connect`. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const handshake: Handshake = parseHandshake(this.#options.handshake)
    this.#options.allowOrigin(handshake.origin)
    this.#starting = NeutralinoSocket.connect(handshake, (event, data) => this.#onEvent(event, data))
    const socket = await this.#starting
    void socket.closed.then(() => {
      if (!this.#stopped) {
        this.#options.logger.warn('the connection to the window was lost')
        this.#options.onClose('shell-gone')
      }
      this.#closed.resolve({ name: this.name })
    })
    this.#options.onPage()
    void this.updateTray()
  }

  #onEvent(event: string, data: unknown): void {
    if (event === 'windowClose') this.#options.onClose('window-close')
    else if (event === 'clientConnect') this.#options.onPage()
    else if (event === 'trayMenuItemClicked') this.#onTray(clickSchema.safeParse(data).data?.id)
  }

  #onTray(id: string | undefined): void {
    const { onClose, setPaused } = this.#options
    if (id === 'quit') onClose('tray-quit')
    else if (id === 'pause' || id === 'resume') setPaused(id === 'pause')
    else if (id === 'show') void this.front()
  }

  /** Shows the tray's icon, or another word in its menu when the queue was paused or resumed. A desktop may have no tray. */
  async updateTray(): Promise<void> {
    const paused = this.#options.isPaused()
    if (paused === this.#trayPaused || this.#stopped) return
    this.#trayPaused = paused
    const socket = await this.#starting?.catch(() => undefined)
    await socket?.call('os.setTray', trayOptions(paused)).catch((err: unknown) => this.#options.logger.info({ err }, 'no tray'))
  }

  /** Tells the page that the end has begun: it ends the window where we can't. */
  async announceEnd({ trigger }: StopReason): Promise<void> {
    if (trigger === 'stdin-eof') return
    const socket = await this.#starting?.catch(() => undefined)
    await socket?.call('app.broadcast', { event: 'sidecarClosing', data: null }).catch(() => {})
  }

  /** Brings the window to the front. Does nothing when it has gone. */
  async front(): Promise<void> {
    const socket = await this.#starting?.catch(() => undefined)
    for (const method of ['window.show', 'window.unminimize', 'window.focus']) {
      await socket
        ?.call(method)
        .catch((err: unknown) => this.#options.logger.warn({ err, method }, 'the window did not come to the front'))
    }
  }

  /**
   * Ends the window and waits until its connection has closed. A window that ended our stdin and is still there wants to go
   * on with another sidecar: it is left alone. @throws AppError `timeout` after 2 s.
   */
  stop({ trigger }: StopReason, _force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(trigger !== 'stdin-eof')
    return this.#stopped
  }

  async #stop(withWindow: boolean): Promise<void> {
    const socket = await this.#starting?.catch(() => undefined)
    try {
      if (!socket || !withWindow) return
      // The shell ends at once, mostly without an answer: its end is what counts.
      void socket.call('app.exit', { code: 0 }).catch(() => {})
      await withDeadline('end of the window', exitMs, socket.closed)
    } finally {
      socket?.close()
      this.#closed.resolve({ name: this.name })
    }
  }
}
