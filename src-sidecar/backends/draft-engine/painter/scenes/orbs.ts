import { type Colour, mix, type Ramp, ramp } from '../colour.ts'
import { between, pick } from '../random.ts'
import { clamp, type Scene, smooth } from '../scene.ts'

interface Orb {
  readonly x: number
  readonly y: number
  readonly radius: number
  /** Softness of its edge in shorter sides: far and very near ones are out of focus. */
  readonly blur: number
  readonly colours: Ramp
  readonly turn: number
}

/** Spheres of coloured glass before a soft backdrop, near ones and far ones out of focus. */
export const orbs: Scene = ({ width, height, palette, random, noise }) => {
  const side = Math.min(width, height)
  const unit = 1 / side
  const across = width / side
  const tall = height / side
  const [deep, low, middle, light, pale] = palette.stops as [Colour, Colour, Colour, Colour, Colour]
  const bright = random() < 0.4
  const backdrop = ramp(
    bright
      ? [middle, light, mix(light, pale, 0.7), pale]
      : [deep, mix(deep, low, 0.8), mix(low, middle, 0.6), mix(middle, light, 0.5)],
  )
  const pairs: [Colour, Colour, Colour][] = [
    [low, middle, light],
    [middle, light, pale],
    [deep, low, middle],
    [low, light, palette.accent],
  ]
  const list: Orb[] = []
  const main = between(random, 0.2, 0.28)
  for (let i = 0; i < 9; i++) {
    const depth = i / 8
    const radius = i === 5 ? main : between(random, 0.035, 0.13) * (0.6 + depth)
    const x = i === 5 ? across * between(random, 0.38, 0.62) : across * between(random, 0.02, 0.98)
    const y = i === 5 ? tall * between(random, 0.36, 0.48) : tall * between(random, 0.06, 0.84)
    const blur = Math.abs(depth - 0.62) ** 1.6 * 0.16
    list.push({ x, y, radius, blur: i === 5 ? 0 : blur, colours: ramp(pick(random, pairs)), turn: between(random, -0.5, 0.5) })
  }
  const slope = between(random, -0.5, 0.5)
  const drift = between(random, 0, 90)
  const lightX = -0.45
  const lightY = -0.62
  return (y, row) => {
    const py = y * unit
    for (let x = 0; x < width; x++) {
      const px = x * unit
      const veil = noise.fractal(px * 0.9 + drift, py * 0.9, 2)
      const back = backdrop.at(0.12 + 0.7 * (py / tall) + slope * (px / across - 0.5) * 0.6 + 0.28 * veil)
      let r = backdrop.table[back]!
      let g = backdrop.table[back + 1]!
      let b = backdrop.table[back + 2]!
      for (const orb of list) {
        const dx = (px - orb.x) / orb.radius
        const dy = (py - orb.y) / orb.radius
        const d2 = dx * dx + dy * dy
        if (d2 > 6) continue
        const distance = Math.sqrt(d2)
        // A soft shadow falls away from the light.
        const sx = dx + lightX * 0.45
        const sy = dy + lightY * 0.55
        const shadow = 1 - (bright ? 0.3 : 0.38) * smooth(2, 0.3, Math.sqrt(sx * sx + sy * sy)) * (distance > 1 ? 1 : 0.6)
        r *= shadow
        g *= shadow
        b *= shadow
        const edge = Math.max(unit * 0.7, orb.blur) / orb.radius
        const inside = smooth(1 + edge, 1 - edge, distance)
        if (inside <= 0) continue
        const z = Math.sqrt(Math.max(0, 1 - d2))
        const lambert = clamp(dx * lightX + dy * lightY + z * 0.64)
        const swirl = orb.turn * noise.at(dx * 0.9 + drift + orb.x * 9, dy * 0.9 + orb.y * 9)
        const place = orb.colours.at(0.06 + 0.82 * lambert + swirl)
        const rim = (1 - z) ** 3 * 0.55 * clamp(0.35 - dx * lightX - dy * lightY)
        const hx = dx - lightX * 0.62
        const hy = dy - lightY * 0.62
        const spot = Math.exp(-(hx * hx + hy * hy) * 22) * 0.75 + Math.exp(-(hx * hx + hy * hy) * 3) * 0.14
        const { table } = orb.colours
        const glow = spot + rim * 0.35
        r += (table[place]! * (0.55 + 0.5 * lambert) + light[0] * rim + palette.accent[0] * glow - r) * inside
        g += (table[place + 1]! * (0.55 + 0.5 * lambert) + light[1] * rim + palette.accent[1] * glow - g) * inside
        b += (table[place + 2]! * (0.55 + 0.5 * lambert) + light[2] * rim + palette.accent[2] * glow - b) * inside
      }
      row[x * 3] = r
      row[x * 3 + 1] = g
      row[x * 3 + 2] = b
    }
  }
}
