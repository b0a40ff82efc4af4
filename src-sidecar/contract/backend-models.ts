import { z } from 'zod'

const names = z.array(z.string())

/** What a server lists, in its own spelling; empty where it has none or does not tell. */
export const backendModelsSchema = z.object({
  checkpoints: names,
  vaes: names,
  samplers: names,
  schedulers: names,
  upscalers: names,
  loras: names,
  embeddings: names,
})
export type BackendModels = z.infer<typeof backendModelsSchema>
