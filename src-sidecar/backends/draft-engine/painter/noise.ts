import { createRandom } from './random.ts'

/** Smooth noise over the plane, about -1 to 1. */
export interface Noise {
  /** Perlin's gradient noise; features are about one unit wide. */
  at(x: number, y: number): number
  /** Octaves of it summed, each half as wide and half as strong; about -1 to 1. */
  fractal(x: number, y: number, octaves: number): number
  /** Fractal with sharp crests; 0 to 1. */
  ridged(x: number, y: number, octaves: number): number
}

/** The noise that belongs to `seed`. */
export function createNoise(seed: number): Noise {
  const random = createRandom(seed)
  const order = new Uint8Array(512)
  for (let i = 0; i < 256; i++) order[i] = i
  for (let i = 255; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  order.copyWithin(256, 0, 256)
  const gradientX = new Float64Array(256)
  const gradientY = new Float64Array(256)
  for (let i = 0; i < 256; i++) {
    gradientX[i] = Math.cos((i / 256) * 2 * Math.PI)
    gradientY[i] = Math.sin((i / 256) * 2 * Math.PI)
  }

  function at(x: number, y: number): number {
    const floorX = Math.floor(x)
    const floorY = Math.floor(y)
    const fx = x - floorX
    const fy = y - floorY
    const left = order[floorX & 255]!
    const right = order[(floorX + 1) & 255]!
    const row = floorY & 255
    const next = (floorY + 1) & 255
    const a = order[left + row]!
    const b = order[right + row]!
    const c = order[left + next]!
    const d = order[right + next]!
    const u = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
    const v = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
    const va = gradientX[a]! * fx + gradientY[a]! * fy
    const vb = gradientX[b]! * (fx - 1) + gradientY[b]! * fy
    const vc = gradientX[c]! * fx + gradientY[c]! * (fy - 1)
    const vd = gradientX[d]! * (fx - 1) + gradientY[d]! * (fy - 1)
    const top = va + u * (vb - va)
    return 1.5 * (top + v * (vc + u * (vd - vc) - top))
  }

  function fractal(x: number, y: number, octaves: number): number {
    let sum = 0
    let strength = 0.5
    let px = x
    let py = y
    for (let i = 0; i < octaves; i++) {
      sum += strength * at(px, py)
      // Turned a little at each octave, so that the lattices don't line up.
      const turned = 1.6 * px - 1.2 * py
      py = 1.2 * px + 1.6 * py
      px = turned
      strength *= 0.5
    }
    return sum
  }

  function ridged(x: number, y: number, octaves: number): number {
    let sum = 0
    let strength = 0.5
    let px = x
    let py = y
    for (let i = 0; i < octaves; i++) {
      const crest = 1 - Math.abs(at(px, py))
      sum += strength * crest * crest
      const turned = 1.6 * px - 1.2 * py
      py = 1.2 * px + 1.6 * py
      px = turned
      strength *= 0.5
    }
    return sum
  }

  return { at, fractal, ridged }
}
