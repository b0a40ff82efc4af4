import type { BackendCapability } from '../../contract/status.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ServerHttp } from '../server-http.ts'

const routes: readonly (readonly [BackendCapability['name'], string])[] = [
  ['progress', '/sdapi/v1/progress'],
  ['taskProgress', '/internal/progress'],
  ['interrupt', '/sdapi/v1/interrupt'],
  ['skip', '/sdapi/v1/skip'],
  ['img2img', '/sdapi/v1/img2img'],
  ['upscale', '/sdapi/v1/extra-single-image'],
  ['checkpoints', '/sdapi/v1/sd-models'],
  ['samplers', '/sdapi/v1/samplers'],
  ['schedulers', '/sdapi/v1/schedulers'],
  ['upscalers', '/sdapi/v1/upscalers'],
  ['loras', '/sdapi/v1/loras'],
  ['embeddings', '/sdapi/v1/embeddings'],
  ['memory', '/sdapi/v1/memory'],
  ['unload', '/sdapi/v1/unload-checkpoint'],
  ['adetailer', '/adetailer/v1/version'],
  ['modules', '/sdapi/v1/sd-modules'],
]

/**
 * Which routes a server has. Asked with OPTIONS, which does nothing: FastAPI answers 405 for a route that is there under
 * another method, 404 for one that is not. Whatever else comes (a sign-in, a late answer) proves no lack.
 */
export const sdapiCapabilities = (http: ServerHttp, signal: AbortSignal): Promise<BackendCapability[]> =>
  Promise.all(
    routes.map(async ([name, path]) => {
      try {
        await http.options(path, signal)
        return { name, available: true }
      } catch (error) {
        return { name, available: !(error instanceof AppError && error.data.status === 404) }
      }
    }),
  )
