import { type Colour, mix } from '../colour.ts'
import { between } from '../random.ts'
import { clamp, type Scene, smooth } from '../scene.ts'
import { createSky } from '../sky.ts'
import { isNight } from './landscape.ts'

/** Open water under a wide sky, with the sun's path on it. */
export const ocean: Scene = (input) => {
  const { width, height, palette, random, noise } = input
  const side = Math.min(width, height)
  const unit = 1 / side
  const tall = height / side
  const horizon = tall * between(random, 0.5, 0.6)
  const sky = createSky(input, horizon, isNight(input.words))
  const [deep, low, middle, light] = palette.stops as [Colour, Colour, Colour, Colour]
  const far = sky.night ? mix(low, middle, 0.8) : mix(middle, light, 0.55)
  const close = sky.night ? deep : mix(deep, low, 0.45)
  const swell = between(random, 0, 90)
  const glow = palette.accent
  return (y, row) => {
    const py = y * unit
    if (py < horizon) {
      for (let x = 0; x < width; x++) sky.paint(x * unit, py, row, x * 3)
      return
    }
    const depth = (py - horizon) / (tall - horizon)
    const scale = 1 / (0.035 + depth * 0.75)
    const lineY = 9 * Math.log(0.035 + depth * 0.75)
    const pathWidth = sky.sunRadius * (0.75 + 2.6 * depth)
    const air = Math.exp(-depth * 16)
    for (let x = 0; x < width; x++) {
      const px = x * unit
      const u = (px - sky.sunX) * scale
      const long = noise.at(u * 0.55 + swell, lineY * 1.2 + swell)
      const waves = noise.fractal(u * 1.5 + swell + long, lineY * 4.2 + long * 0.8, 3)
      const facing = clamp(0.5 + waves * 1.15 + long * 0.25)
      const crest = smooth(0.62, 1, facing)
      const beside = Math.abs(px - sky.sunX + long * 0.05 * depth) / pathWidth
      const path = Math.exp(-beside * beside)
      const sparkle = noise.at(u * 5 + swell, lineY * 15 + waves)
      const glitter = path * (smooth(0.05, 0.5, sparkle + 0.5 * waves + 0.25 * path) * 1.05 + 0.16)
      const mirror = clamp((1 - depth) ** 2 * 0.75 + crest * 0.4)
      for (let c = 0; c < 3; c++) {
        let value = close[c]! + (far[c]! - close[c]!) * mirror
        value *= 0.72 + 0.5 * facing
        value += glow[c]! * glitter * (sky.night ? 0.55 : 0.95) + far[c]! * crest * 0.12
        row[x * 3 + c] = value + (sky.haze[c]! - value) * air * 0.75
      }
    }
  }
}
