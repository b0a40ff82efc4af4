import { type Colour, mix, ramp } from '../colour.ts'
import { Coverage, type PathCommand } from '../coverage.ts'
import { between, pick } from '../random.ts'
import { type Scene, smooth } from '../scene.ts'
import { bloom } from './bloom.ts'
import { cosmos } from './cosmos.ts'
import { landscape } from './landscape.ts'

/** A face from the side, on a square of 1, looking left: cubic curves from the nape over the skull to the breast. */
const profile: readonly (readonly number[])[] = [
  [0.74, 0.5, 0.83, 0.42, 0.86, 0.2, 0.6, 0.12],
  [0.6, 0.12, 0.46, 0.08, 0.33, 0.14, 0.3, 0.25],
  [0.3, 0.25, 0.29, 0.29, 0.3, 0.31, 0.295, 0.34],
  [0.295, 0.34, 0.285, 0.37, 0.245, 0.415, 0.238, 0.435],
  [0.238, 0.435, 0.235, 0.452, 0.265, 0.455, 0.274, 0.462],
  [0.274, 0.462, 0.278, 0.472, 0.262, 0.482, 0.262, 0.494],
  [0.262, 0.494, 0.262, 0.503, 0.277, 0.503, 0.279, 0.508],
  [0.279, 0.508, 0.268, 0.516, 0.266, 0.53, 0.278, 0.54],
  [0.278, 0.54, 0.286, 0.55, 0.268, 0.568, 0.277, 0.592],
  [0.277, 0.592, 0.288, 0.622, 0.335, 0.625, 0.375, 0.612],
  [0.375, 0.612, 0.42, 0.598, 0.448, 0.615, 0.452, 0.66],
  [0.452, 0.66, 0.456, 0.72, 0.42, 0.755, 0.3, 0.8],
  [0.3, 0.8, 0.2, 0.84, 0.13, 0.9, 0.08, 1.4],
]

/** A double exposure: a profile before a pale disc, and within it another scene. */
export const portrait: Scene = (input) => {
  const { width, height, palette, random, noise } = input
  const side = Math.min(width, height)
  const unit = 1 / side
  const mirrored = random() < 0.5
  const [, _low, middle, light, pale] = palette.stops as [Colour, Colour, Colour, Colour, Colour]
  const backdrop = ramp([mix(light, pale, 0.55), mix(light, pale, 0.25), light, mix(light, middle, 0.35)])
  const within = pick(random, [landscape('forest'), landscape('mountains'), cosmos, bloom])(input)
  const scale = 1.08 * Math.min(width * 1.02, height * 0.95)
  const left = width / 2 - scale * (mirrored ? 0.47 : 0.53)
  const top = height * 0.46 - scale * 0.42
  const place = (x: number, y: number): [number, number] => [left + (mirrored ? 1 - x : x) * scale, top + y * scale]
  const mask = new Coverage(width, height)
  mask.fill(outlineOf(place))
  if (random() < 0.6) mask.fill(knotOf(place, between(random, 0.07, 0.115)))
  const discX = width * (0.5 + (mirrored ? -1 : 1) * between(random, 0, 0.08))
  const discY = height * between(random, 0.36, 0.42)
  const discRadius = side * between(random, 0.36, 0.42)
  const brightest = Math.max(...middle)
  const tone = middle.map((value) => value / brightest)
  const inside = new Float32Array(width)
  const inner = new Float32Array(width * 3)
  const drift = between(random, 0, 90)
  return (y, row) => {
    mask.row(y, inside)
    within(y, inner)
    const sink = smooth(0.5, 0.98, y / height)
    for (let x = 0; x < width; x++) {
      const veil = noise.fractal(x * unit * 1.3 + drift, y * unit * 1.3, 3)
      const at = backdrop.at(y / height + 0.4 * veil)
      const distance = Math.sqrt((x - discX) ** 2 + (y - discY) ** 2)
      const disc = smooth(discRadius + 0.8, discRadius - 0.8, distance) * 0.75
      const halo = Math.exp(-Math.max(0, distance - discRadius) / (0.16 * side)) * 0.25
      for (let c = 0; c < 3; c++) {
        let value = backdrop.table[at + c]!
        value += (palette.accent[c]! - value) * Math.max(disc, halo)
        const figure = inner[x * 3 + c]! * 0.6 * (0.35 + 0.65 * tone[c]!)
        value += (figure * (1 - 0.35 * sink) - value) * inside[x]!
        row[x * 3 + c] = value
      }
    }
  }
}

function outlineOf(place: (x: number, y: number) => [number, number]): PathCommand[] {
  const first = profile[0]!
  const [startX, startY] = place(first[0]!, first[1]!)
  const path: PathCommand[] = [{ type: 'M', x: startX, y: startY }]
  for (const [, , ax, ay, bx, by, ex, ey] of profile as readonly [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ][]) {
    const [x1, y1] = place(ax, ay)
    const [x2, y2] = place(bx, by)
    const [x, y] = place(ex, ey)
    path.push({ type: 'C', x1, y1, x2, y2, x, y })
  }
  const line = (px: number, py: number) => {
    const [x, y] = place(px, py)
    path.push({ type: 'L', x, y })
  }
  const curve = (ax: number, ay: number, bx: number, by: number, ex: number, ey: number) => {
    const [x1, y1] = place(ax, ay)
    const [x2, y2] = place(bx, by)
    const [x, y] = place(ex, ey)
    path.push({ type: 'C', x1, y1, x2, y2, x, y })
  }
  line(1.1, 1.4)
  curve(1.08, 0.96, 0.98, 0.84, 0.84, 0.79)
  curve(0.72, 0.745, 0.69, 0.66, 0.74, 0.5)
  path.push({ type: 'Z' })
  return path
}

/** Hair tied at the back of the head. */
function knotOf(place: (x: number, y: number) => [number, number], radius: number): PathCommand[] {
  const turns = 32
  return Array.from({ length: turns + 1 }, (_, i): PathCommand => {
    // The way round of the outline: the other way would cut a hole.
    const angle = -(i / turns) * 2 * Math.PI
    const [x, y] = place(0.8 + Math.cos(angle) * radius, 0.2 + Math.sin(angle) * radius * 0.92)
    return { type: i === 0 ? 'M' : 'L', x, y }
  })
}
