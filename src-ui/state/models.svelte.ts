import type { BackendModels } from '../../src-sidecar/contract/backend-models.ts'
import type { Api } from '../api/client.ts'
import { samplerNames, schedulerNames } from './recipe-choices.ts'

const none: BackendModels = {
  checkpoints: [],
  vaes: [],
  samplers: [],
  schedulers: [],
  upscalers: [],
  loras: [],
  embeddings: [],
}

/** What the backends list, for suggestions; asked when a backend has changed. */
export class ModelsState {
  #current = $state.raw<BackendModels>(none)
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  get checkpoints(): readonly string[] {
    return this.#current.checkpoints
  }

  get vaes(): readonly string[] {
    return this.#current.vaes
  }

  get loras(): readonly string[] {
    return this.#current.loras
  }

  get embeddings(): readonly string[] {
    return this.#current.embeddings
  }

  get upscalers(): readonly string[] {
    return [...new Set(['Latent', 'Latent (bicubic)', 'Latent (nearest-exact)', ...this.#current.upscalers])]
  }

  /** A1's names stand for every backend; its own come after them. */
  get samplers(): readonly string[] {
    return [...new Set([...samplerNames, ...this.#current.samplers])]
  }

  get schedulers(): readonly string[] {
    return [...new Set([...schedulerNames, ...this.#current.schedulers])]
  }

  async fetch(): Promise<void> {
    this.#current = await this.#api.models()
  }
}
