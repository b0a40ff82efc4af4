import { type Colour, mix, type Ramp, ramp, shade } from '../colour.ts'
import { createNoise } from '../noise.ts'
import { between } from '../random.ts'
import { clamp, type Scene, smooth } from '../scene.ts'

/** A ribbon's upper edge as heights along it, and its colours. */
interface Ribbon {
  readonly edge: Float32Array
  readonly colours: Ramp
  readonly shift: number
}

const samples = 1024
const reach = 2.6

/** Wide ribbons of silk, one over the other, each lit at its edge and shading the one behind. */
export const ribbons: Scene = ({ width, height, palette, random, noise }) => {
  const side = Math.min(width, height)
  const unit = 1 / side
  const across = width / side
  const tall = height / side
  const [deep, low, middle, light, pale] = palette.stops as [Colour, Colour, Colour, Colour, Colour]
  const angle = between(random, -0.7, 0.7)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const whole = ramp(
    random() < 0.5 ? [pale, light, middle, low, deep] : [low, middle, light, mix(light, pale, 0.6), middle, low, deep],
  )
  const count = 9
  const span = tall * Math.abs(cos) + across * Math.abs(sin)
  const list: Ribbon[] = []
  const bend = between(random, 0.16, 0.3)
  const drift = between(random, 0, 100)
  for (let i = 0; i < count; i++) {
    const t = i / (count - 1)
    const form = createNoise(Math.floor(random() * 2 ** 31))
    const edge = new Float32Array(samples + 1)
    for (let s = 0; s <= samples; s++) {
      const u = (s / samples - 0.5) * reach
      // Neighbours share the slow bend and differ in the quick one.
      const shared = noise.at(u * 0.9 + drift, t * 1.1)
      edge[s] = (t - 0.5) * span * 1.02 - 0.04 + bend * (shared + 0.5 * form.at(u * 1.2, 0.5))
    }
    const base = readRamp(whole, 0.03 + 0.94 * t)
    const next = readRamp(whole, clamp(0.03 + 0.94 * t + 0.2))
    list.push({
      edge,
      colours: ramp([mix(base, pale, 0.3), base, mix(base, next, 0.8), shade(next, 0.72, 1.1)]),
      shift: between(random, 0, 9),
    })
  }
  const first = readRamp(whole, 0)

  return (y, row) => {
    for (let x = 0; x < width; x++) {
      const dx = x * unit - across / 2
      const dy = y * unit - tall / 2
      const u = cos * dx + sin * dy
      const v = cos * dy - sin * dx
      const place = clamp((u / reach + 0.5) * samples, 0, samples - 1.001)
      const left = Math.floor(place)
      const share = place - left
      let r = first[0]
      let g = first[1]
      let b = first[2]
      for (const { edge, colours, shift } of list) {
        const below = v - (edge[left]! + (edge[left + 1]! - edge[left]!) * share)
        if (below < -0.16) continue
        const shadow = 1 - 0.42 * Math.exp(Math.min(0, below) * 22)
        const inside = clamp(below * side + 0.5)
        if (inside < 1) {
          r *= shadow
          g *= shadow
          b *= shadow
        }
        if (inside <= 0) continue
        const fold = noise.at(u * 1.7 + shift, below * 2.2 + shift)
        const at = colours.at(0.06 + below * 2.1 + 0.2 * fold)
        const sheen = 0.26 * Math.exp(-below * 34) + 0.12 * smooth(0.15, 0.55, fold)
        const { table } = colours
        r += (table[at]! + sheen * pale[0] - r) * inside
        g += (table[at + 1]! + sheen * pale[1] - g) * inside
        b += (table[at + 2]! + sheen * pale[2] - b) * inside
      }
      row[x * 3] = r
      row[x * 3 + 1] = g
      row[x * 3 + 2] = b
    }
  }
}

function readRamp(colours: Ramp, place: number): Colour {
  const at = colours.at(place)
  return [colours.table[at]!, colours.table[at + 1]!, colours.table[at + 2]!]
}
