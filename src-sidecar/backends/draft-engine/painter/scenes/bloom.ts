import { type Colour, mix, type Ramp, ramp, shade } from '../colour.ts'
import { between } from '../random.ts'
import { clamp, type Scene, smooth } from '../scene.ts'

interface Flower {
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly rings: { readonly radius: number; readonly petals: number; readonly turn: number; readonly colours: Ramp }[]
}

/** Dahlias of cut paper, one large, some small, petal over petal. */
export const bloom: Scene = ({ width, height, palette, random, noise }) => {
  const side = Math.min(width, height)
  const unit = 1 / side
  const across = width / side
  const tall = height / side
  const [deep, low, middle, light, pale] = palette.stops as [Colour, Colour, Colour, Colour, Colour]
  const backdrop = ramp([mix(deep, low, 0.35), mix(deep, low, 0.9), mix(low, middle, 0.55)])
  const flower = (x: number, y: number, radius: number, count: number): Flower => {
    const rings = Array.from({ length: count }, (_, i) => {
      const t = i / (count - 1)
      const base = t < 0.5 ? mix(pale, light, t * 2) : mix(light, middle, (t - 0.5) * 1.7)
      return {
        radius: radius * (0.14 + 0.86 * t ** 0.9),
        petals: 7 + Math.round(t * 7),
        turn: i * 2.4 + between(random, -0.2, 0.2),
        colours: ramp([shade(mix(base, low, 0.65), 0.62, 1.15), shade(base, 0.86, 1.15), base, mix(base, pale, 0.35)]),
      }
    })
    return { x, y, radius, rings }
  }
  const mainX = across * between(random, 0.38, 0.62)
  const mainY = tall * between(random, 0.36, 0.46)
  const flowers: Flower[] = []
  for (let i = 0; i < 6; i++) {
    const angle = between(random, 0, 2 * Math.PI)
    const away = between(random, 0.5, 0.85)
    flowers.push(
      flower(mainX + Math.cos(angle) * away * across, mainY + Math.sin(angle) * away * tall, between(random, 0.1, 0.2), 5),
    )
  }
  flowers.push(flower(mainX, mainY, between(random, 0.36, 0.43), 9))
  const drift = between(random, 0, 90)

  return (y, row) => {
    const py = y * unit
    for (let x = 0; x < width; x++) {
      const px = x * unit
      const leaf = noise.fractal(px * 1.6 + drift, py * 1.6, 3)
      const back = backdrop.at(0.42 + 0.6 * leaf - 0.2 * (py / tall - 0.5))
      let r = backdrop.table[back]!
      let g = backdrop.table[back + 1]!
      let b = backdrop.table[back + 2]!
      for (const { x: fx, y: fy, radius, rings } of flowers) {
        const dx = px - fx
        const dy = py - fy
        const distance = Math.sqrt(dx * dx + dy * dy)
        if (distance > radius * 1.5) continue
        const below = 1 - 0.55 * smooth(radius * 1.35, radius * 0.7, Math.sqrt((dx - 0.02) ** 2 + (dy - 0.035) ** 2))
        r *= below
        g *= below
        b *= below
        if (distance > radius * 1.02) continue
        const angle = Math.atan2(dy, dx) + 0.05 * noise.at(dx * 5 + drift, dy * 5)
        for (let i = 0; i < rings.length; i++) {
          const ring = rings[i]!
          const phase = (angle + ring.turn) * ring.petals * 0.5
          const across01 = Math.abs(Math.cos(phase))
          const reach = ring.radius * (0.7 + 0.3 * across01 ** 0.55)
          const inside = clamp((reach - distance) * side + 0.5)
          if (inside <= 0) continue
          const inner = i > 0 ? rings[i - 1]!.radius : 0
          const along = clamp((distance - inner * 0.72) / (reach - inner * 0.72))
          const vein = 0.08 * across01 ** 6 + 0.035 * Math.sin(phase * 9) * (1 - along)
          const at = ring.colours.at(0.04 + 0.86 * along ** 0.75 * (0.7 + 0.3 * across01) + vein)
          // Light comes from the upper left.
          const facing = 1 + 0.16 * ((-dx * 0.55 - dy * 0.8) / (distance + 0.02))
          const { table } = ring.colours
          r += (table[at]! * facing - r) * inside
          g += (table[at + 1]! * facing - g) * inside
          b += (table[at + 2]! * facing - b) * inside
          if (inside >= 1) break
        }
      }
      row[x * 3] = r
      row[x * 3 + 1] = g
      row[x * 3 + 2] = b
    }
  }
}
