import { decoded } from './colour.ts'
import type { StartPicture } from './recipe.ts'

/**
 * img2img: lets the start picture through what is painted, the more the weaker the denoising; at 0 nothing else is left. Its
 * lights and darks keep shaping the painting until the strength is near 1. `cover`, 0 to 1, hides it under the lettering: it may
 * be a draft with lettering of its own. Changes row `y` of linear values in place.
 */
export function blendStart(
  start: StartPicture,
  y: number,
  row: Float32Array,
  width: number,
  height: number,
  cover: number,
): void {
  const { pixels, mask, strength } = start
  const painted = Math.max(cover, strength ** 1.5)
  const shaping = (1 - strength ** 4) * (1 - cover)
  const fromY = Math.min(pixels.height - 1, Math.floor(((y + 0.5) / height) * pixels.height))
  for (let x = 0; x < width; x++) {
    const fromX = Math.min(pixels.width - 1, Math.floor(((x + 0.5) / width) * pixels.width))
    const pixel = fromY * pixels.width + fromX
    const r = decoded[pixels.data[pixel * 3]!]!
    const g = decoded[pixels.data[pixel * 3 + 1]!]!
    const b = decoded[pixels.data[pixel * 3 + 2]!]!
    const shape = 1 + (0.3 + 1.15 * Math.sqrt(0.21 * r + 0.72 * g + 0.07 * b) - 1) * shaping
    const share = painted * (mask ? mask[pixel]! / 255 : 1)
    const at = x * 3
    row[at] = r + (row[at]! * shape - r) * share
    row[at + 1] = g + (row[at + 1]! * shape - g) * share
    row[at + 2] = b + (row[at + 2]! * shape - b) * share
  }
}
