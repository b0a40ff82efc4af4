import type { Pacer } from '../pacer.ts'
import type { Pixels } from '../png.ts'
import { createNoise } from './noise.ts'
import { hash } from './random.ts'

/**
 * `picture` as it looks after `share` (0 to 1) of its steps, at a size of its own: blurred, bent and under coloured noise, all of
 * which fade. At 1 it is the picture.
 */
export async function diffuse(
  picture: Pixels,
  width: number,
  height: number,
  share: number,
  seed: number,
  pacer: Pacer,
): Promise<Pixels> {
  const left = 1 - share
  const levels = await pyramid(picture, pacer)
  const blur = Math.min(levels.length - 1.001, Math.max(0, left ** 0.9 * (levels.length - 2)))
  const level = Math.floor(blur)
  const [fine, coarse] = [levels[level]!, levels[level + 1] ?? levels[level]!]
  const noise = createNoise(hash(seed, 'latent'))
  const data = new Uint8Array(width * height * 3)
  const side = Math.min(width, height)
  const bend = 0.09 * left * left
  const cells = 40 / side
  const strength = 125 * left ** 1.5
  const grain = 50 * left ** 1.8
  let speckle = hash(seed, 'speckle')
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bentX = (x + 0.5) / width + bend * noise.at((x / side) * 3, (y / side) * 3 + 9)
      const bentY = (y + 0.5) / height + bend * noise.at((x / side) * 3 + 31, (y / side) * 3)
      for (let c = 0; c < 3; c++) {
        const a = sample(fine, bentX, bentY, c)
        const value = blur > 0 ? a + (sample(coarse, bentX, bentY, c) - a) * (blur - level) : a
        speckle = Math.imul(speckle ^ (speckle >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
        const speck = ((speckle >>> 8) & 0xffff) / 32768 - 1
        const cell = strength > 0 ? noise.at(x * cells + c * 57, y * cells - c * 23) : 0
        const noisy = value + cell * strength + speck * grain + 0.5
        data[at++] = noisy < 0 ? 0 : Math.min(noisy, 255)
      }
    }
    if (pacer.isDue()) await pacer.pause()
  }
  return { width, height, data }
}

/** `picture` at a larger size. */
export async function enlarge(picture: Pixels, width: number, height: number, pacer: Pacer): Promise<Pixels> {
  const data = new Uint8Array(width * height * 3)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[at++] = sample(picture, (x + 0.5) / width, (y + 0.5) / height, c) + 0.5
    }
    if (pacer.isDue()) await pacer.pause()
  }
  return { width, height, data }
}

/** The picture and its halves, down to about 4 pixels. */
async function pyramid(picture: Pixels, pacer: Pacer): Promise<Pixels[]> {
  const levels = [picture]
  for (let last = picture; Math.min(last.width, last.height) >= 8; ) {
    last = halve(last)
    levels.push(last)
    if (pacer.isDue()) await pacer.pause()
  }
  return levels
}

function halve({ width, height, data }: Pixels): Pixels {
  const w = width >> 1
  const h = height >> 1
  const out = new Uint8Array(w * h * 3)
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (y * 2 * width + x * 2) * 3 + c
        out[(y * w + x) * 3 + c] = (data[at]! + data[at + 3]! + data[at + width * 3]! + data[at + width * 3 + 3]! + 2) >> 2
      }
    }
  }
  return { width: w, height: h, data: out }
}

/** One channel between four pixels; `u`, `v` from 0 to 1, the edges reach outwards. */
function sample({ width, height, data }: Pixels, u: number, v: number, channel: number): number {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5))
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5))
  const left = Math.min(width - 2, Math.floor(x))
  const top = Math.min(height - 2, Math.floor(y))
  const at = (top * width + left) * 3 + channel
  const under = at + width * 3
  const fx = x - left
  const upper = data[at]! + (data[at + 3]! - data[at]!) * fx
  const lower = data[under]! + (data[under + 3]! - data[under]!) * fx
  return upper + (lower - upper) * (y - top)
}
