import type { ShellChoice } from './cli/command-line.ts'
import type { ShellKind } from './contract/status.ts'
import type { Component, ComponentExit, StopTrigger } from './lifecycle/component.ts'
import { deferred } from './lifecycle/deferred.ts'
import type { Logger } from './logging/logger.ts'
import type { Containment } from './processes/spawn-contained.ts'

export interface Shell extends Component {
  readonly kind: ShellKind
  front(): Promise<void>
}

export interface ShellOptions {
  readonly choice: ShellChoice
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
}

export function createShell(_options: ShellOptions): Shell {
  const closed = deferred<ComponentExit>()
  return {
    name: 'no window',
    kind: 'none',
    closed: closed.promise,
    start: async () => {},
    stop: async () => closed.resolve({ name: 'no window' }),
    front: async () => {},
  }
}
