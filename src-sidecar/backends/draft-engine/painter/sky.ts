import { type Colour, mix, type Ramp, ramp } from './colour.ts'
import { between } from './random.ts'
import { clamp, type SceneInput, smooth } from './scene.ts'

/** A sky down to `horizon`. Places and lengths are in units of the picture's shorter side. */
export interface Sky {
  readonly horizon: number
  readonly sunX: number
  readonly sunY: number
  readonly sunRadius: number
  readonly night: boolean
  /** The colour low over the horizon, which distance takes on. */
  readonly haze: Colour
  /** Adds nothing, but sets three values at `out[at]`. */
  paint(x: number, y: number, out: Float32Array, at: number): void
}

/** A sky with sun or moon, clouds and, where the palette is dark, stars. */
export function createSky(input: SceneInput, horizon: number, night: boolean): Sky {
  const { width, height, palette, random, noise } = input
  const side = Math.min(width, height)
  const across = width / side
  const [deep, low, middle, light, pale] = palette.stops as [Colour, Colour, Colour, Colour, Colour]
  const colours: Ramp = ramp(
    night ? [mix(deep, low, 0.25), low, mix(low, middle, 0.7), mix(middle, light, 0.55)] : skyStops(random(), palette.stops),
  )
  const haze = night ? mix(middle, light, 0.3) : mix(light, pale, 0.35)
  const sunX = across * between(random, 0.24, 0.76)
  const sunRadius = night ? between(random, 0.05, 0.085) : between(random, 0.07, 0.15)
  const sunY = horizon * (night ? between(random, 0.3, 0.55) : between(random, 0.58, 0.86))
  const cloudiness = between(random, -0.12, 0.16)
  const cloudScale = between(random, 1.3, 2.1)
  const drift = between(random, 0, 50)
  const pixel = 1 / side
  const northern = night && (input.words.has('aurora') || input.words.has('northern') || palette.name === 'aurora')
  const glow = palette.accent
  // Pale palettes have light enough.
  const glare = 1 - 0.6 * Math.min(...pale)
  const cloudLit = night ? mix(middle, light, 0.6) : mix(pale, glow, 0.6)
  const cloudDark = night ? low : mix(middle, light, 0.35)

  function paint(x: number, y: number, out: Float32Array, at: number): void {
    const v = y / horizon
    const veil = noise.at(x * 1.1 + drift, y * 2.3 + 5)
    const sky = colours.at(v ** 1.15 + 0.07 * veil)
    const dx = x - sunX
    const dy = y - sunY
    const distance = Math.sqrt(dx * dx + dy * dy)
    const spread = night ? 0.28 : 0.5
    const halo =
      Math.exp(-distance / (spread * 0.55)) * (night ? 0.3 : 0.55) + Math.exp(-distance / spread) * (night ? 0.08 : 0.14)
    const disc = smooth(sunRadius + pixel * 0.8, sunRadius - pixel * 0.8, distance)
    const shape = noise.fractal(x * cloudScale + drift, y * cloudScale * 3.6 + veil * 0.35, 4)
    const cloud = smooth(0.02, 0.42, shape + cloudiness - 0.25 * Math.abs(v - 0.55)) * 0.85
    const lit = clamp(
      0.25 + 1.1 * Math.exp(-distance / 0.4) + 0.5 * noise.at(x * cloudScale * 2 + drift, y * cloudScale * 7 - 0.4),
    )
    const star = night ? starAt(x, y) * (1 - cloud) * smooth(1, 0.4, v) : 0
    const face = disc > 0 && night ? 0.86 + 0.14 * noise.at((x - sunX) * 26, (y - sunY) * 26) : 1
    const curtain = northern ? curtainAt(x, v) : 0
    for (let c = 0; c < 3; c++) {
      let value = colours.table[sky + c]! + halo * glare * glow[c]! + star + curtain * (glow[c]! * 0.55 + light[c]! * 0.45)
      const lamp = night ? glow[c]! * 1.06 * face : Math.max(glow[c]! * 1.4, value + 0.3)
      value += (lamp - value) * disc
      value += (cloudDark[c]! + (cloudLit[c]! - cloudDark[c]!) * lit - value) * cloud * (1 - 0.6 * disc)
      out[at + c] = value
    }
  }

  /** Northern lights: hems that wave over the sky, with rays rising from them. */
  function curtainAt(x: number, v: number): number {
    let sum = 0
    for (let i = 0; i < 3; i++) {
      const hem = 0.72 - 0.17 * i + 0.2 * noise.at(x * (0.9 + 0.2 * i) + drift, i * 9.7)
      const up = hem - v
      const ray = 0.55 + 0.6 * noise.at(x * (11 + 3 * i) + 1.6 * noise.at(x * 2, i + drift), i * 3.1 + v * 0.4)
      const fall = up > 0 ? Math.exp(-up * (4.2 + 1.5 * i)) * smooth(0, 0.035, up) : 0
      sum += clamp(ray) * fall * (0.5 + 0.5 * noise.at(x * 1.4 + drift, i * 5.3))
    }
    return sum * 0.75
  }

  const cells = 26
  /** At most one star a cell of a lattice, small and of uneven brightness. */
  function starAt(x: number, y: number): number {
    const column = Math.floor(x * cells)
    const line = Math.floor(y * cells)
    let h = Math.imul(column * 374761393 + line * 668265263 + 9277, 1274126177)
    h = Math.imul(h ^ (h >>> 13), 0x5bd1e995)
    const brightness = ((h >>> 24) & 255) / 255
    if (brightness < 0.55) return 0
    const dx = x * cells - column - 0.15 - 0.7 * (((h >>> 16) & 255) / 255)
    const dy = y * cells - line - 0.15 - 0.7 * (((h >>> 8) & 255) / 255)
    const radius = 0.02 + 0.045 * (brightness - 0.5)
    const size = Math.max(radius, 0.7 * pixel * cells)
    return Math.exp(-(dx * dx + dy * dy) / (size * size)) * (brightness - 0.4) * 1.5
  }

  return { horizon, sunX, sunY, sunRadius, night, haze, paint }
}

function skyStops(variant: number, stops: readonly Colour[]): Colour[] {
  const [, low, middle, light, pale] = stops as [Colour, Colour, Colour, Colour, Colour]
  if (variant < 0.5) return [mix(low, middle, 0.25), middle, mix(middle, light, 0.75), light, pale]
  return [mix(low, middle, 0.75), mix(middle, light, 0.5), light, mix(light, pale, 0.6), pale]
}
