import type { Component, ComponentExit, StopReason, StopTrigger } from '../lifecycle/component.ts'
import { withDeadline } from '../lifecycle/deadline.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import { type Handshake, parseHandshake } from './handshake.ts'
import { NeutralinoSocket } from './neutralino-socket.ts'

const exitMs = 2000

export interface NeutralinoShellOptions {
  /** The line that came on stdin. */
  readonly handshake: string
  readonly logger: Logger
  readonly allowOrigin: (origin: string) => void
  readonly onClose: (trigger: StopTrigger) => void
}

/** The sidecar's side of the Neutralino window: hears of its closing, and ends it when everything else has ended. */
export class NeutralinoShell implements Component {
  readonly name = 'Neutralino window'
  readonly kind = 'neutralino'
  readonly #options: NeutralinoShellOptions
  readonly #closed = deferred<ComponentExit>()
  #starting: Promise<NeutralinoSocket> | undefined
  #stopped: Promise<void> | undefined

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
    this.#starting = NeutralinoSocket.connect(handshake, (event) => {
      if (event === 'windowClose') this.#options.onClose('window-close')
    })
    const socket = await this.#starting
    void socket.closed.then(() => {
      if (!this.#stopped) {
        this.#options.logger.warn('the connection to the window was lost')
        this.#options.onClose('shell-gone')
      }
      this.#closed.resolve({ name: this.name })
    })
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

  /** Ends the window and waits until its connection has closed. @throws AppError `timeout` after 2 s. */
  stop(_reason: StopReason, _force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const socket = await this.#starting?.catch(() => undefined)
    try {
      if (!socket) return
      // The shell ends at once, mostly without an answer: its end is what counts.
      void socket.call('app.exit', { code: 0 }).catch(() => {})
      await withDeadline('end of the window', exitMs, socket.closed)
    } finally {
      socket?.close()
      this.#closed.resolve({ name: this.name })
    }
  }
}
