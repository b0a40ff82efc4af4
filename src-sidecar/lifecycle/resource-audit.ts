import { setTimeout as sleep } from 'node:timers/promises'
import type { OriginTrace } from './origin-trace.ts'
import { hasProc, type Resource, type ResourceKind, takeSnapshot, withSocketNames } from './resource-snapshot.ts'

export type { Resource, ResourceKind } from './resource-snapshot.ts'

/** Something that is there at the end and was not at the beginning. */
export interface Leak {
  readonly kind: ResourceKind
  readonly name: string
  /** `file:line` of our own code that made it; empty without a trace, or where it is not known. */
  readonly origins: readonly string[]
}

export interface AuditOptions {
  /** Timers that are the caller's own (a deadline that runs while the audit does). Default 0. */
  readonly ownTimers?: number
  /** What may be there all the same: the log that is closed later. */
  readonly isExpected?: (resource: Resource) => boolean
  /** What is being closed may take some turns of the event loop to go. Default 500. */
  readonly withinMs?: number
}

/** Kinds that this system tells nothing of: they are not looked at. */
export const unknownKinds: readonly ResourceKind[] = hasProc ? [] : ['file', 'thread']

/** Compares what the process holds with what it held at the beginning. */
export class ResourceAudit {
  readonly #trace: OriginTrace | undefined
  #baseline = new Set<string>()

  /** @param trace where origins come from; started and stopped by the caller */
  constructor(trace?: OriginTrace) {
    this.#trace = trace
  }

  /** Whatever is here now belongs here. */
  takeBaseline(): void {
    this.#baseline = new Set(takeSnapshot().map(idOf))
  }

  /** @returns what is left; empty as soon as nothing is, else after `withinMs` */
  async leaks({ ownTimers = 0, isExpected = () => false, withinMs = 500 }: AuditOptions = {}): Promise<Leak[]> {
    for (const until = performance.now() + withinMs; ; await sleep(10)) {
      const left = this.#left(ownTimers).filter((resource) => !isExpected(resource))
      if (left.length > 0 && performance.now() < until) continue
      return withSocketNames(left).map((resource) => ({
        kind: resource.kind,
        name: resource.name,
        origins: this.#trace?.originsOf(resource) ?? [],
      }))
    }
  }

  #left(ownTimers: number): Resource[] {
    const added = takeSnapshot().filter((resource) => !this.#baseline.has(idOf(resource)))
    const timers = added.filter(({ kind }) => kind === 'timer').slice(ownTimers)
    return [...added.filter(({ kind }) => kind !== 'timer'), ...timers]
  }
}

/** `socket tcp port 8080 listening (src-sidecar/api/http-server.ts:12)` */
export const describeLeak = ({ kind, name, origins }: Leak): string =>
  `${kind} ${name}${origins.length > 0 ? ` (${origins.join(', ')})` : ''}`

const idOf = ({ kind, key }: Resource): string => `${kind} ${key}`
