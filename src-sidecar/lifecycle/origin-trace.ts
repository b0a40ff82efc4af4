import { type AsyncHook, createHook, executionAsyncId } from 'node:async_hooks'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getCallSites } from 'node:util'
import { type FileTrace, traceFiles } from './file-trace.ts'
import type { Resource, ResourceKind } from './resource-snapshot.ts'

const types: Partial<Record<ResourceKind, RegExp>> = {
  timer: /^(Timeout|Immediate)$/,
  watcher: /^(FSEVENTWRAP|STATWATCHER)$/,
  thread: /^WORKER$/,
  child: /^PROCESSWRAP$/,
  request: /REQ/,
}
const stackDepth = 30

interface Made {
  readonly type: string
  readonly at: string | undefined
  readonly resource: WeakRef<{ fd?: number; pid?: number; hasRef?(): boolean }>
}

/** Always in between. */
const wrappers = /\/lifecycle\/(origin-trace|file-trace)\.ts$/
/** The audit's own timers and readings are nobody's leak. */
const audit = /\/lifecycle\/resource-(audit|snapshot)\.ts$/

/**
 * Remembers where each asynchronous resource was made; for `--diagnose` only, as every timer, read and write then costs a
 * look at the stack (20 µs) and an entry: an HTTP request takes four times the processor time. What native code opens has
 * no origin.
 */
export class OriginTrace {
  readonly #root: string
  readonly #made = new Map<number, Made>()
  readonly #hook: AsyncHook
  #files: FileTrace | undefined

  /** @param root the folder of our own code: only lines in it, and not in its packages, are origins */
  constructor(root: string) {
    this.#root = root
    const init = (id: number, type: string, trigger: number, resource: object) => {
      const at = this.#here(trigger)
      if (at !== undefined) this.#made.set(id, { type, at, resource: new WeakRef(resource) })
    }
    // Promises hold nothing, and are most of all.
    const hooks = { init, destroy: (id: number) => void this.#made.delete(id), trackPromises: false }
    this.#hook = createHook(hooks)
  }

  start(): void {
    this.#hook.enable()
    this.#files = traceFiles(() => this.#here())
  }

  stop(): void {
    this.#hook.disable()
    this.#files?.stop()
  }

  /** For a resource of a snapshot. Places as `file:line`; those of all of its kind where one of them can't be told from another. */
  originsOf({ kind, fd, pid }: Resource): string[] {
    const made = [...this.#made.values()].map(({ type, at, resource }) => ({ type, at, resource: resource.deref() }))
    const mine =
      fd !== undefined
        ? [{ at: this.#files?.originOf(fd) }, ...made.filter(({ resource }) => resource?.fd === fd)]
        : made.filter(({ type, resource }) => {
            if (!types[kind]?.test(type)) return false
            if (kind === 'timer') return resource?.hasRef?.()
            return pid === undefined || resource?.pid === pid
          })
    return [...new Set(mine.flatMap(({ at }) => at ?? []))]
  }

  /** What Node makes later on behalf of something of ours (a stream opens its file in the next tick) inherits its origin. */
  #here(trigger = 0): string | undefined {
    for (const { scriptName, lineNumber } of getCallSites(stackDepth)) {
      if (!scriptName.startsWith('file:') || wrappers.test(scriptName)) continue
      if (audit.test(scriptName)) return undefined
      const file = relative(this.#root, fileURLToPath(scriptName))
      if (!file.startsWith('..') && !file.includes('node_modules')) return `${file}:${lineNumber}`
    }
    return (this.#made.get(executionAsyncId()) ?? this.#made.get(trigger))?.at
  }
}
