import type { Diagnostics, Sample } from '../../src-sidecar/contract/diagnostics.ts'
import type { Api } from '../api/client.ts'

/** What the page keeps; the sidecar has no more. */
const keptMs = 30 * 60_000

/** Memory, processes and threads, as long as somebody looks at them. */
export class DiagnosticsState {
  latest = $state.raw<Diagnostics | null>(null)
  samples = $state.raw<readonly Sample[]>([])
  readonly #api: Api
  #timer: ReturnType<typeof setTimeout> | undefined
  #watching = false

  constructor(api: Api) {
    this.#api = api
  }

  /** Asks as often as there is something new. @returns what ends it */
  watch(): () => void {
    this.#watching = true
    void this.#fetch()
    return () => {
      this.#watching = false
      clearTimeout(this.#timer)
    }
  }

  async #fetch(): Promise<void> {
    try {
      const latest = await this.#api.diagnostics(this.samples.at(-1)?.atMs ?? 0)
      const sinceMs = (latest.samples.at(-1)?.atMs ?? 0) - keptMs
      this.samples = [...this.samples, ...latest.samples].filter(({ atMs }) => atMs >= sinceMs)
      this.latest = latest
    } catch {
      // Whether the sidecar is there, the event stream tells.
    }
    clearTimeout(this.#timer)
    if (this.#watching) this.#timer = setTimeout(() => void this.#fetch(), this.latest?.everyMs ?? 2000)
  }
}
