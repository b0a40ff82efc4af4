import type { PictureSettings, QueuePictureRequest, ReadPicture } from '../../src-sidecar/contract/picture-settings.ts'
import { sizeName } from './recipe-choices.ts'

/** Make it again, make variations of it, make it larger. */
export type PictureUse = 'settings' | 'img2img' | 'upscale'

export interface PictureForm {
  readonly name: string
  readonly prompt: string
  readonly negativePrompt: string
  readonly images: number
  readonly sameSeed: boolean
  readonly denoisingStrength: number
  readonly upscaler: string
  readonly scale: number
}

/** Larger ones would be more than most GPUs hold: variations of them are made at this size. */
const maxSidePx = 1536

/** Its size in blocks of 8 pixels, as models work. */
export function img2imgSize({ width, height }: { width: number; height: number }): { width: number; height: number } {
  const scale = Math.min(1, maxSidePx / Math.max(width, height))
  const side = (pixels: number) => Math.max(64, Math.round((pixels * scale) / 8) * 8)
  return { width: side(width), height: side(height) }
}

export function pictureRequest(use: PictureUse, picture: ReadPicture, form: PictureForm): QueuePictureRequest {
  const { name, prompt, negativePrompt, images, upscaler, scale, denoisingStrength } = form
  const { settings = {}, seed } = picture.settings ?? {}
  const own = { name, prompt, negativePrompt }
  if (use === 'upscale') return { ...own, source: { as: 'upscale', upscaler, scale } }
  if (use === 'img2img') {
    const { hires: _, ...plain } = settings
    return { ...own, images, settings: { ...plain, ...img2imgSize(picture) }, source: { as: 'img2img', denoisingStrength } }
  }
  return { ...own, images, settings, ...(form.sameSeed && seed !== undefined && { seed }) }
}

/** What a picture says, for people. */
export const settingsTexts = ({ settings: one }: PictureSettings): string[] =>
  [
    one.width && one.height && sizeName({ width: one.width, height: one.height }),
    one.steps && `${one.steps} steps`,
    one.samplerName && `${one.samplerName}${one.scheduler && one.scheduler !== 'Automatic' ? ` ${one.scheduler}` : ''}`,
    one.cfgScale !== undefined && `CFG ${one.cfgScale}`,
    one.checkpoint,
    one.vae && `VAE ${one.vae}`,
    one.clipSkip && one.clipSkip > 1 && `clip skip ${one.clipSkip}`,
    one.hires && `hires ×${one.hires.scale}`,
    one.refiner && `refiner ${one.refiner.checkpoint}`,
    one.adetailer?.length && 'ADetailer',
  ].filter((text): text is string => typeof text === 'string' && text !== '')
