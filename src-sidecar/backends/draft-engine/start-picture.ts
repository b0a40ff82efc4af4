import type { Sharp } from 'sharp'
import { httpException } from './api-error.ts'
import type { Order } from './generate.ts'
import type { StartPicture } from './painter/recipe.ts'

/** Pixels of the largest picture that is read. */
const maxInputPixels = 8192 * 8192
const fits = ['fill', 'cover', 'contain', 'fill'] as const

/**
 * A picture that a request carries in base64, with or without a data URI's head; PNG, JPEG, WebP or another that sharp reads.
 * Rejects with A1's 500 "Invalid encoded image", and for addresses with its "Requests not allowed" (decode_base64_to_image).
 */
export async function readImage(text: unknown): Promise<{ image: Sharp; bytes: Buffer; width: number; height: number }> {
  if (typeof text !== 'string') throw httpException(500, 'Invalid encoded image')
  if (/^https?:\/\//.test(text)) throw httpException(500, 'Requests not allowed')
  const bytes = Buffer.from(text.replace(/^data:image\/[^;]+;base64,/, ''), 'base64')
  // Loaded on first use: it doubles the engine's memory, and txt2img never needs it.
  const { default: sharp } = await import('sharp')
  try {
    const image = sharp(bytes, { limitInputPixels: maxInputPixels, failOn: 'error' })
    const { width, height } = await image.metadata()
    return { image, bytes, width, height }
  } catch {
    throw httpException(500, 'Invalid encoded image')
  }
}

/** The first init image and the mask of an img2img order, at its size; null for txt2img. */
export async function readStartPicture(order: Order): Promise<StartPicture | null> {
  if (order.kind === 'txt2img') return null
  const { fields, width, height } = order
  const fit = fits[fields.resize_mode ?? 0] ?? 'fill'
  const { image } = await readImage(fields.init_images?.[0])
  const resized = image.removeAlpha().toColourspace('srgb').resize(width, height, { fit, kernel: 'lanczos3' })
  const data = await raw(resized)
  const pixels = { width, height, data }
  return { pixels, mask: fields.mask ? await readMask(order) : null, strength: fields.denoising_strength }
}

async function readMask({ fields, width, height }: Order): Promise<Uint8Array> {
  const { image } = await readImage(fields.mask)
  let mask = image.flatten({ background: '#000' }).resize(width, height, { fit: 'fill' }).toColourspace('b-w')
  if (fields.mask_blur) mask = mask.blur(Math.max(0.3, fields.mask_blur))
  if (fields.inpainting_mask_invert) mask = mask.negate()
  return raw(mask)
}

async function raw(image: Sharp): Promise<Uint8Array> {
  try {
    return await image.raw().toBuffer()
  } catch {
    // Sharp reads the head first: a picture that is cut off fails only here.
    throw httpException(500, 'Invalid encoded image')
  }
}
