import type { PackPreview, PreviewRequest } from '../../src-sidecar/contract/pack.ts'
import { asApiError } from '../api/api-error.ts'
import type { Api } from '../api/client.ts'

export const randomSeed = (): number => Math.floor(Math.random() * 2 ** 32)

const pageLength = 40
const settleMs = 120

type Wanted = Omit<PreviewRequest, 'offset' | 'length'>

/** The first jobs that a pack would make, as the sidecar expands them. */
export class PreviewState {
  current = $state.raw<PackPreview | null>(null)
  loading = $state(false)

  readonly #api: Api
  #wanted: Wanted | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: Api) {
    this.#api = api
  }

  /** How many there are in all; null while that is not known. */
  count = $derived.by(() => (this.current?.count ? BigInt(this.current.count) : null))

  /** Shows those of this choice; what was shown stays until they are there. */
  show(wanted: Wanted): void {
    if (wanted.packId !== this.#wanted?.packId) this.current = null
    this.#wanted = wanted
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#fetch(0), this.current ? settleMs : 0)
  }

  more(): Promise<void> {
    return this.#fetch(this.current?.jobs.length ?? 0)
  }

  async #fetch(offset: number): Promise<void> {
    const wanted = this.#wanted
    if (!wanted) return
    this.loading = true
    try {
      const answer = await this.#api.packPreview({ ...wanted, offset, length: pageLength })
      if (wanted !== this.#wanted) return
      this.current = offset > 0 && this.current ? { ...answer, jobs: [...this.current.jobs, ...answer.jobs] } : answer
    } catch (error) {
      if (wanted === this.#wanted) this.current = { count: null, jobs: [], problem: asApiError(error).message }
    } finally {
      if (wanted === this.#wanted) this.loading = false
    }
  }
}
