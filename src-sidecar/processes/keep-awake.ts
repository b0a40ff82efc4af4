import type { KeptAwake } from '../contract/diagnostics.ts'
import { asError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import { findCommand } from './find-command.ts'
import type { ContainedProcess, Containment } from './spawn-contained.ts'

/** No machine falls asleep within seconds: short work starts no process. */
const settleMs = 15_000
/** Between two jobs it is kept, and while the queue waits to try again (30 s at most). */
const lingerMs = 60_000

export interface KeepAwakeOptions {
  readonly containment: Pick<Containment, 'spawnContained'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  readonly settleMs?: number
  readonly lingerMs?: number
}

/** What keeps a machine awake, as long as it runs. Both let go when they are killed. */
const programs: Partial<Record<NodeJS.Platform, { name: string; args: string[] }>> = {
  linux: {
    name: 'systemd-inhibit',
    args: ['--what=idle:sleep', '--mode=block', '--who=StableNew', '--why=Images are being made', 'sleep', 'infinity'],
  },
  darwin: { name: 'caffeinate', args: ['-i'] },
}

/**
 * Keeps the machine from falling asleep while jobs run; its screen may go dark. What can't be done is tried once and told in
 * Diagnostics.
 * States: off → on → off …, and unavailable for good.
 */
export class KeepAwake implements Component {
  readonly name = 'keep awake'
  readonly #options: KeepAwakeOptions
  readonly #closed = deferred<ComponentExit>()
  #facts: KeptAwake = { state: 'off', why: null }
  #settling: NodeJS.Timeout | undefined
  #lingering: NodeJS.Timeout | undefined
  #holding: Promise<ContainedProcess | undefined> | undefined
  #stopped: Promise<void> | undefined

  constructor(options: KeepAwakeOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** For Diagnostics. */
  get facts(): KeptAwake {
    return this.#facts
  }

  async start(): Promise<void> {}

  /** To be told at each change, any number of times. */
  busy(isBusy: boolean): void {
    if (this.#stopped !== undefined || this.#facts.state === 'unavailable') return
    clearTimeout(this.#lingering)
    if (!isBusy) this.#lingering = setTimeout(() => void this.#letGo(), this.#options.lingerMs ?? lingerMs).unref()
    else if (this.#holding === undefined)
      this.#settling ??= setTimeout(() => this.#hold(), this.#options.settleMs ?? settleMs).unref()
  }

  /** At once, with nothing to wait for. */
  stop(): Promise<void> {
    this.#stopped ??= this.#letGo().then(() => this.#closed.resolve({ name: this.name }))
    return this.#stopped
  }

  #hold(): void {
    this.#settling = undefined
    if (this.#stopped !== undefined) return
    this.#facts = { state: 'on', why: null }
    this.#holding = (process.platform === 'win32' ? holdWindows(true) : this.#startProgram()).catch((error) => {
      this.#giveUp(asError(error).message)
      return undefined
    })
  }

  async #letGo(): Promise<void> {
    clearTimeout(this.#settling)
    clearTimeout(this.#lingering)
    this.#settling = undefined
    const holding = this.#holding
    if (holding === undefined) return
    const held = await holding
    // Killed: it has nothing to finish, and the end of the app must not wait for it.
    await held?.terminate(AbortSignal.abort())
    if (process.platform === 'win32') await holdWindows(false)
    this.#holding = undefined
    if (this.#facts.state === 'on') this.#facts = { state: 'off', why: null }
  }

  async #startProgram(): Promise<ContainedProcess | undefined> {
    const { containment, env } = this.#options
    const program = programs[process.platform]
    if (program === undefined) throw new Error(`not known how to on ${process.platform}`)
    const found = findCommand(program.name, '/', { PATH: env.PATH ?? '' })
    if ('problem' in found) throw new Error(`${program.name} is not installed`)
    const held = await containment.spawnContained(found.path, program.args, {
      role: 'tool',
      // In a namespace of users D-Bus would not know whose it is.
      level: 'shim',
      graceMs: 1000,
    })
    void held.closed.then(({ outcome, lastLines }) => {
      if (outcome !== 'terminated') this.#giveUp(`${program.name}: ${lastLines.at(-1) ?? outcome}`)
    })
    return held
  }

  /** No D-Bus, no rights: it would say the same again. */
  #giveUp(why: string): void {
    if (this.#stopped !== undefined) return
    this.#facts = { state: 'unavailable', why }
    this.#options.logger.info({ why }, 'the machine is not kept awake')
  }
}

/** For the thread that asks, and until it ends. @throws Error where Windows refuses */
async function holdWindows(on: boolean): Promise<undefined> {
  const { keepSystemAwake } = await import('./native-win32.ts')
  if (!keepSystemAwake(on)) throw new Error('Windows refused it')
  return undefined
}
