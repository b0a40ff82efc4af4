import { AppError } from '../../errors/app-error.ts'
import { atWork } from '../server-client.ts'
import type { ServerHttp } from '../server-http.ts'
import { progressAnswerSchema } from './sdapi-answers.ts'

/**
 * Takes the model of a server with `/sdapi/v1` out of its video memory and brings it back. A1 does both without its lock
 * (`unloadapi`, `reloadapi`): taken away in the middle of an image it breaks that, and it is missing where it is not brought back
 * before the next one.
 */
export class SdapiMemory {
  readonly #http: ServerHttp
  /** Images of ours that are being made. */
  #images = 0
  #freeing: Promise<boolean> | undefined
  #unloaded = false

  constructor(http: ServerHttp) {
    this.#http = http
  }

  /** As `ServerClient.freeMemory`. Calls share one. */
  free(signal: AbortSignal): Promise<boolean> {
    this.#freeing ??= this.#free(signal).finally(() => {
      this.#freeing = undefined
    })
    return this.#freeing
  }

  /** Makes an image with its model in place. @param loadMs until the model is taken for loaded, or the server can't say */
  async during<T>(make: () => Promise<T>, loadMs: number, signal: AbortSignal): Promise<T> {
    this.#images++
    try {
      await this.#freeing?.catch(() => {})
      if (this.#unloaded) await this.#http.post('/sdapi/v1/reload-checkpoint', {}, signal, loadMs).catch(() => {})
      if (!signal.aborted) this.#unloaded = false
      return await make()
    } finally {
      this.#images--
    }
  }

  async #free(signal: AbortSignal): Promise<boolean> {
    if (this.#images > 0 || (await this.#busy(signal))) throw atWork()
    // One of ours may have begun meanwhile, and waits.
    try {
      this.#unloaded = true
      await this.#http.post('/sdapi/v1/unload-checkpoint', {}, signal)
      return true
    } catch (error) {
      if (!(error instanceof AppError && (error.data.status === 404 || error.data.status === 405))) throw error
      this.#unloaded = false
      return false
    }
  }

  /** With somebody else's image. What does not tell is taken for idle. */
  async #busy(signal: AbortSignal): Promise<boolean> {
    try {
      const answer = progressAnswerSchema.parse(await this.#http.get('/sdapi/v1/progress?skip_current_image=true', signal))
      return answer.progress > 0
    } catch {
      return false
    }
  }
}
