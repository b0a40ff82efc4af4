import type { Pixels } from '../png.ts'

/** Everything a picture depends on: equal recipes give equal pixels. */
export interface Recipe {
  readonly prompt: string
  readonly negativePrompt: string
  readonly seed: number
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly sampler: string
  readonly scheduler: string
  readonly cfgScale: number
  /** img2img: the picture it starts from. */
  readonly start: StartPicture | null
}

export interface StartPicture {
  /** Of the recipe's size. */
  readonly pixels: Pixels
  /** One byte a pixel, 255 where it may change; null for everywhere. */
  readonly mask: Uint8Array | null
  /** Denoising strength, 0 (unchanged) to 1. */
  readonly strength: number
}
