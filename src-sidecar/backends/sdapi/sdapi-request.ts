import { z } from 'zod'
import { AppError } from '../../errors/app-error.ts'
import type { GenerateRequest } from '../backend.ts'
import { sourcePicture } from '../source-picture.ts'
import { type GenerateAnswer, generateAnswerSchema } from './sdapi-answers.ts'
import { detailOnly, type SdapiFeatures, txt2imgBody } from './sdapi-body.ts'

export interface SdapiRequest {
  readonly path: string
  readonly body: object
  /** @throws ZodError where the answer is none */
  readonly read: (answer: unknown) => GenerateAnswer
}

const upscaledSchema = z.object({ image: z.string() })

/** What to ask a server for: txt2img, or what is done with the recipe's source. @throws AppError `backend_rejected` where something is missing */
export async function sdapiRequest(
  request: GenerateRequest,
  features: SdapiFeatures,
  taskId: string | undefined,
): Promise<SdapiRequest> {
  const { source } = request.recipe
  const read = (answer: unknown) => generateAnswerSchema.parse(answer)
  if (source === undefined) return { path: '/sdapi/v1/txt2img', body: txt2imgBody(request, features, taskId), read }
  const picture = (await sourcePicture(source, request)).toString('base64')
  if (source.as !== 'upscale') {
    // Hires fix is a second pass of txt2img alone.
    const plain = { ...request, recipe: { ...request.recipe, hires: null } }
    if (source.as === 'adetailer' && !features.adetailer)
      throw new AppError('backend_rejected', 'This server has no ADetailer. Install the extension, or take the stage out.')
    const own =
      source.as === 'adetailer'
        ? { init_images: [picture], ...detailOnly(source.passes) }
        : { init_images: [picture], denoising_strength: source.denoisingStrength }
    return { path: '/sdapi/v1/img2img', body: { ...txt2imgBody(plain, features, taskId), ...own }, read }
  }
  return {
    path: '/sdapi/v1/extra-single-image',
    body: { image: picture, resize_mode: 0, upscaling_resize: source.scale, upscaler_1: source.upscaler },
    read: (answer) => ({ images: [upscaledSchema.parse(answer).image], info: '{}' }),
  }
}
