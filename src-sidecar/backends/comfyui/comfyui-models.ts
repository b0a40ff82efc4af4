import { z } from 'zod'
import type { BackendModels } from '../../contract/backend-models.ts'
import type { BackendCapability } from '../../contract/status.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ServerHttp } from '../server-http.ts'
import { objectInfoSchema } from './comfyui-answers.ts'

const textList = z.array(z.string())

/** What a ComfyUI has: the choices of its nodes, asked when they are needed, for a file may be put there at any time. */
export class ComfyuiModels {
  readonly #http: ServerHttp

  constructor(http: ServerHttp) {
    this.#http = http
  }

  checkpoints(signal: AbortSignal): Promise<readonly string[]> {
    return this.#choices('CheckpointLoaderSimple', 'ckpt_name', signal)
  }

  loras(signal: AbortSignal): Promise<readonly string[]> {
    return this.#choices('LoraLoader', 'lora_name', signal)
  }

  vaes(signal: AbortSignal): Promise<readonly string[]> {
    return this.#choices('VAELoader', 'vae_name', signal)
  }

  async samplers(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#choices('KSampler', 'sampler_name', signal)
  }

  async upscalers(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#choices('UpscaleModelLoader', 'model_name', signal)
  }

  /** Everything a recipe may name; a list that is not told is empty. */
  async all(signal: AbortSignal): Promise<BackendModels> {
    const list = (node: string, input: string) => this.#choices(node, input, signal).catch(() => [])
    const folder = this.#http.get('/models/embeddings', signal).then((names) => textList.parse(names))
    const [checkpoints, vaes, samplers, schedulers, upscalers, loras, embeddings] = await Promise.all([
      list('CheckpointLoaderSimple', 'ckpt_name'),
      list('VAELoader', 'vae_name'),
      list('KSampler', 'sampler_name'),
      list('KSampler', 'scheduler'),
      list('UpscaleModelLoader', 'model_name'),
      list('LoraLoader', 'lora_name'),
      folder.catch(() => []),
    ])
    return {
      checkpoints: [...checkpoints],
      vaes: [...vaes],
      samplers: [...samplers],
      schedulers: [...schedulers],
      upscalers: [...upscalers],
      loras: [...loras],
      embeddings,
    }
  }

  /** @throws AppError where the server is no ComfyUI, or not there. */
  async capabilities(signal: AbortSignal): Promise<readonly BackendCapability[]> {
    const stats = await this.#http.get('/system_stats', signal)
    const version = (stats as { system?: { comfyui_version?: unknown } } | null)?.system
    if (version === undefined) throw new AppError('backend_bad_answer', 'GET /system_stats names no system. Is it a ComfyUI?')
    const [checkpoints, samplers, loras, upscalers] = await Promise.all(
      [this.checkpoints(signal), this.samplers(signal), this.loras(signal), this.upscalers(signal)].map((list) =>
        list.catch(() => []),
      ),
    )
    return [
      { name: 'checkpoints', available: checkpoints!.length > 0 },
      { name: 'samplers', available: samplers!.length > 0 },
      { name: 'loras', available: loras!.length > 0 },
      { name: 'upscalers', available: upscalers!.length > 0 },
    ]
  }

  /** The list of a node's input: `[[choice, …], …]`, in later versions `["COMBO", {options: [choice, …]}]`. */
  async #choices(node: string, input: string, signal: AbortSignal): Promise<readonly string[]> {
    const answer = objectInfoSchema.safeParse(await this.#http.get(`/object_info/${node}`, signal))
    if (!answer.success) throw new AppError('backend_bad_answer', `GET /object_info/${node} tells no nodes. Is it a ComfyUI?`)
    const [choices, more] = answer.data[node]?.input.required[input] ?? []
    const list = Array.isArray(choices) ? choices : (more as { options?: unknown } | undefined)?.options
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
  }
}
