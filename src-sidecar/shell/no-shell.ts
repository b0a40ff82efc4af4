import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'

/** No window: the address was printed, and a signal or the end of stdin ends the app. */
export class NoShell implements Component {
  readonly name = 'no window'
  readonly kind = 'none'
  readonly #closed = deferred<ComponentExit>()

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  async start(): Promise<void> {}

  async front(): Promise<void> {}

  async stop(): Promise<void> {
    this.#closed.resolve({ name: this.name })
  }
}
