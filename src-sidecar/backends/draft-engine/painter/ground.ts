import { type Colour, shade } from './colour.ts'
import type { Noise } from './noise.ts'
import { between, hash } from './random.ts'
import { clamp, type SceneInput, smooth } from './scene.ts'
import type { Sky } from './sky.ts'

/** What a layer of land is made of. */
export type Ground = 'mountains' | 'hills' | 'forest' | 'dunes' | 'city'

/** One range of land: its outline as a row for each column, and how it is coloured. */
export interface Layer {
  readonly kind: Ground
  /** 0 the farthest, 1 the nearest. */
  readonly near: number
  readonly crest: Float32Array
  /** The same without trees: mist gathers from here. */
  readonly ground: Float32Array
  readonly colour: Colour
  readonly mist: Colour
  readonly offset: number
}

/** Lays a range of land out around the height `base` (in shorter sides from the top). */
export function createLayer(
  input: SceneInput,
  kind: Ground,
  near: number,
  base: number,
  colour: Colour,
  mist: Colour,
  sky: Sky,
): Layer {
  const { width, height, random, noise } = input
  const side = Math.min(width, height)
  const offset = between(random, 0, 200)
  const crest = new Float32Array(width)
  const tilt = between(random, -0.06, 0.06)
  const rise = outline[kind]
  for (let x = 0; x < width; x++) {
    const u = x / side
    const sunward = Math.exp(-((u - sky.sunX) ** 2) / 0.09)
    // Land gives way a little before the sun, so that it is seen.
    crest[x] = (base - rise(noise, u, offset, near) * (1 - 0.35 * sunward) + tilt * (u - 0.5)) * side
  }
  const ground = crest.slice()
  const plantSeed = hash(offset * 1e6)
  if (kind === 'forest') plantTrees(crest, side, near, plantSeed)
  if (kind === 'hills' && near > 0.5) plantTrees(crest, side, near * 0.62, plantSeed, 0.16)
  if (kind === 'city') build(crest, side, near, base, plantSeed)
  return { kind, near, crest, ground, colour, mist, offset }
}

/** How high land stands over its base at `u`, in shorter sides. */
const outline: Record<Ground, (noise: Noise, u: number, offset: number, near: number) => number> = {
  mountains: (noise, u, offset, near) =>
    near < 0.75
      ? (noise.ridged(u * (1.3 + near) + offset, offset, 6) - 0.32) * (0.5 - 0.28 * near) + 0.04
      : 0.05 * noise.fractal(u * 2 + offset, 3, 4) + 0.03,
  hills: (noise, u, offset, near) =>
    0.16 * (1.1 - 0.5 * near) * noise.at(u * (1.1 + near * 0.5) + offset, 0.5) + 0.05 + 0.012 * noise.at(u * 6 + offset, 2),
  forest: (noise, u, offset, near) => 0.13 * noise.at(u * 1.2 + offset, 0.5) + 0.06 - 0.03 * near,
  dunes: (noise, u, offset, near) => {
    const wave = noise.at(u * (0.9 + 0.5 * near) + offset, 0.3) + 0.25 * noise.at(u * 2.3 + offset, 7)
    return 0.2 * (1 - Math.abs(wave)) * (1 - 0.3 * near) - 0.08
  },
  city: () => 0,
}

function plantTrees(crest: Float32Array, side: number, near: number, seed: number, density = 1): void {
  const spacing = 0.011 + 0.034 * near * near
  const tallest = 0.05 + 0.17 * near * near
  const count = Math.ceil(crest.length / side / spacing)
  const ground = crest.slice()
  for (let i = -1; i <= count; i++) {
    const chance = (salt: number) => (hash(seed, i, salt) % 1024) / 1024
    if (chance(4) > density) continue
    const centre = (i + chance(1)) * spacing * side
    const tall = tallest * (0.45 + 0.55 * chance(2) ** 1.3) * side
    const half = tall * (0.16 + 0.07 * chance(3))
    const foot = ground[clamp(Math.round(centre), 0, crest.length - 1)]!
    const boughs = 5 + Math.floor(chance(5) * 4)
    for (let x = Math.max(0, Math.floor(centre - half)); x <= Math.min(crest.length - 1, centre + half); x++) {
      const out = Math.abs(x - centre) / half
      // Boughs: the outline rises a little towards each tip, then falls back below the cone.
      const step = out * boughs
      const level = 1 - out + 0.11 * (0.35 + out) * (step - Math.floor(step) - 0.6) * (1 - out)
      const top = foot - tall * level + 0.002 * side
      if (top < crest[x]!) crest[x] = top
    }
  }
}

function build(crest: Float32Array, side: number, near: number, base: number, seed: number): void {
  let x = -0.05 * side
  for (let i = 0; x < crest.length; i++) {
    const chance = (salt: number) => (hash(seed, i, salt) % 1024) / 1024
    const wide = (0.035 + 0.075 * chance(1)) * (0.55 + 0.75 * near) * side
    const tower = chance(2) > 0.78 ? 0.22 : 0
    const tall = (0.1 + 0.24 * chance(3) ** 1.6 + tower * (1 - 0.4 * near)) * side * (1 - 0.15 * near)
    const gap = chance(4) > 0.75 ? 0.012 * side : 0
    const setBack = chance(5) > 0.55 ? 0.2 : 0
    const spire = chance(6) > 0.8
    for (let c = Math.max(0, Math.ceil(x)); c < Math.min(crest.length, x + wide - gap); c++) {
      const across = (c - x) / (wide - gap)
      const middle = Math.abs(across - 0.5)
      let top = base * side - tall
      if (setBack && middle < 0.5 - setBack) top -= 0.03 * side
      if (spire && middle * wide < Math.max(0.6, 0.0016 * side)) top -= 0.07 * side
      crest[c] = top
    }
    x += wide
  }
}

/** Paints one pixel of a layer over `out[at]`, `depth` below its crest and `drop` below its ground. Lengths in shorter sides, `cover` from 0 to 1. */
export function paintLayer(
  layer: Layer,
  noise: Noise,
  sky: Sky,
  x: number,
  y: number,
  depth: number,
  drop: number,
  cover: number,
  out: Float32Array,
  at: number,
): void {
  const { kind, near, offset, colour, mist } = layer
  const fog = smooth(kind === 'forest' ? -0.12 * near : 0, kind === 'city' ? 0.5 : 0.16 + 0.2 * near, drop) * (1 - 0.55 * near)
  const sunward = Math.exp(-Math.abs(x - sky.sunX) / 0.35) * (1 - near) ** 1.5
  let light = 1
  if (kind === 'mountains' && near < 0.8) {
    light = 1 + 0.55 * noise.fractal(x * 7 + offset + depth * 5, depth * 9 + offset, 3) * (1 - 0.6 * near)
  } else if (kind === 'dunes') {
    const slope =
      noise.at(x * (0.9 + 0.5 * near) + offset - 0.06 + depth * 0.5, 0.3) -
      noise.at(x * (0.9 + 0.5 * near) + offset + 0.06 + depth * 0.5, 0.3)
    const ripple = near > 0.3 ? Math.sin(depth * (420 - 200 * near) + 6 * noise.at(x * 5 + offset, depth * 9)) * 0.035 * near : 0
    light = 1 + clamp(slope * (2.2 * smoothSign((x - sky.sunX) * 5)), -0.5, 0.8) * Math.exp(-depth * 5) + ripple
  } else if (kind === 'hills') {
    light = 1 + 0.22 * Math.exp(-depth * 26) + 0.12 * noise.fractal(x * 9 + offset, depth * 16, 2)
  }
  const rim = 0.5 * sunward * Math.exp(-depth * 60)
  const window = kind === 'city' && near > 0.5 && depth > 0.012 ? windowAt(layer, x, y) : 0
  for (let c = 0; c < 3; c++) {
    let value = colour[c]! * light
    value += (mist[c]! - value) * fog
    value += sky.haze[c]! * (rim + 0.25 * sunward)
    value += (window > 0 ? lamp[c]! * window : 0) * (1 - fog * 0.6)
    out[at + c]! += (value - out[at + c]!) * cover
  }
}

const lamp = shade([1, 0.62, 0.25], 1)

function windowAt({ near, offset }: Layer, x: number, y: number): number {
  const across = x * (150 - 70 * near) + offset
  const down = y * (110 - 50 * near)
  const fx = across - Math.floor(across)
  const fy = down - Math.floor(down)
  if (fx < 0.3 || fy < 0.42) return 0
  const h = Math.imul((Math.floor(across) * 374761393) ^ (Math.floor(down) * 668265263), 1274126177) >>> 0
  const chance = ((h ^ (h >>> 15)) & 1023) / 1023
  return chance > 0.66 ? (chance - 0.5) * (0.35 + 1.3 * near) : 0
}

function smoothSign(value: number): number {
  return value / Math.sqrt(1 + value * value)
}
