import type { GenerateProgress } from '../backend.ts'
import { type Graph, samplerNodes } from './graph.ts'

/**
 * Makes steps of what ComfyUI tells of single nodes. Only nodes that sample count, where there is one: a VAE in tiles counts
 * up too. Never goes back, whatever comes twice or late.
 */
export class ProgressTracker {
  readonly #samplers: ReadonlySet<string>
  readonly #report: (progress: GenerateProgress) => void
  readonly #seen = new Set<string>()
  #last: Omit<GenerateProgress, 'preview'> | undefined
  #first: { atMs: number; fraction: number } | undefined

  constructor(graph: Graph, report: (progress: GenerateProgress) => void) {
    this.#samplers = new Set(samplerNodes(graph))
    this.#report = report
  }

  step(nodeId: string | null, value: number, max: number): void {
    if (!(max > 0) || !(value >= 0)) return
    if (nodeId !== null && this.#samplers.size > 0) {
      if (!this.#samplers.has(nodeId)) return
      this.#seen.add(nodeId)
    }
    const passes = Math.max(1, this.#samplers.size)
    const fraction = Math.min(1, (Math.max(0, this.#seen.size - 1) + Math.min(1, value / max)) / passes)
    if (fraction <= (this.#last?.fraction ?? 0)) return
    this.#last = { step: Math.min(value, max), steps: max, fraction, remainingMs: this.#remainingMs(fraction) }
    this.#report({ ...this.#last, preview: null })
  }

  preview(bytes: Uint8Array): void {
    this.#report({ ...(this.#last ?? { step: 0, steps: 0, fraction: 0, remainingMs: null }), preview: bytes })
  }

  /** From the pace since the first step: what comes before it (loading a model) says nothing about the rest. */
  #remainingMs(fraction: number): number | null {
    const atMs = performance.now()
    this.#first ??= { atMs, fraction }
    const done = fraction - this.#first.fraction
    return done > 0 ? Math.round(((atMs - this.#first.atMs) / done) * (1 - fraction)) : null
  }
}
