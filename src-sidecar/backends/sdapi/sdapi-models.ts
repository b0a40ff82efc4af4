import { z } from 'zod'
import type { BackendModels } from '../../contract/backend-models.ts'
import type { ServerHttp } from '../server-http.ts'

/** A list's route, and which field of an item is the name to send back: A1 1.8, `modules/api/models.py`. */
const lists = {
  checkpoints: ['/sdapi/v1/sd-models', 'title'],
  vaes: ['/sdapi/v1/sd-vae', 'model_name'],
  samplers: ['/sdapi/v1/samplers', 'name'],
  schedulers: ['/sdapi/v1/schedulers', 'label'],
  upscalers: ['/sdapi/v1/upscalers', 'name'],
  loras: ['/sdapi/v1/loras', 'name'],
} as const

const embeddingsSchema = z.object({ loaded: z.record(z.string(), z.unknown()) })

/** What the server lists; a list that it lacks, or does not tell, is empty. Never throws. */
export async function sdapiModels(http: ServerHttp, signal: AbortSignal): Promise<BackendModels> {
  const named = Object.entries(lists).map(async ([kind, [path, field]]) => [kind, await names(http, path, field, signal)])
  const embeddings = http
    .get('/sdapi/v1/embeddings', signal)
    .then((answer) => Object.keys(embeddingsSchema.parse(answer).loaded))
    .catch(() => [])
  return { ...Object.fromEntries(await Promise.all(named)), embeddings: await embeddings }
}

/** SD.Next's schedulers have a `name` and no `label`. */
async function names(http: ServerHttp, path: string, field: string, signal: AbortSignal): Promise<string[]> {
  const answer = await http.get(path, signal).catch(() => [])
  const items = z.array(z.record(z.string(), z.unknown())).safeParse(answer)
  if (!items.success) return []
  return items.data.map((item) => item[field] ?? item.name).filter((name) => typeof name === 'string')
}
