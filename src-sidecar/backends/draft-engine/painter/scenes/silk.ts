import { ramp } from '../colour.ts'
import { between } from '../random.ts'
import { clamp, type Scene } from '../scene.ts'

/** Folds of silk: noise bent by noise, lit from its slope. */
export const silk: Scene = ({ width, height, palette, random, noise }) => {
  const colours = ramp(palette.stops)
  const scale = between(random, 1.1, 1.7) / Math.min(width, height)
  const angle = between(random, 0, Math.PI)
  const bend = between(random, 0.9, 1.5)
  const cos = Math.cos(angle) * scale
  const sin = Math.sin(angle) * scale
  let above = new Float32Array(width)
  let heights = new Float32Array(width)
  const spread = Math.min(width, height)
  const fold = (x: number, y: number, out: Float32Array, i: number) => {
    const u = cos * x + sin * y
    const v = (cos * y - sin * x) * 2.2
    const warp = noise.fractal(u * 0.8 + 7, v * 0.5 + 3, 2)
    out[i] = noise.at(u + bend * warp, v * 0.6 + bend * 1.6 * warp) + 0.35 * Math.sin(9 * (u * 0.4 + warp * 1.4))
  }
  return (y, row) => {
    const kept = above
    above = heights
    heights = kept
    for (let x = 0; x < width; x++) fold(x, y, heights, x)
    if (y === 0) for (let x = 0; x < width; x++) fold(x, -1, above, x)
    for (let x = 0; x < width; x++) {
      const h = heights[x]!
      const dx = (h - heights[x > 0 ? x - 1 : 0]!) * spread
      const dy = (h - above[x]!) * spread
      const light = 1 / Math.sqrt(1 + 0.02 * (dx * dx + dy * dy))
      const shine = clamp((-dx * 0.5 - dy * 0.8) * 0.12) * light
      const at = colours.at(clamp(0.42 + 0.45 * h))
      const lit = 0.35 + 0.75 * light + shine * 0.6
      for (let c = 0; c < 3; c++) row[x * 3 + c] = colours.table[at + c]! * lit + palette.accent[c]! * shine * shine * 0.5
    }
  }
}
