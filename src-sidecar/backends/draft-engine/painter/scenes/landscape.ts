import { type Colour, mix } from '../colour.ts'
import { createLayer, type Ground, type Layer, paintLayer } from '../ground.ts'
import { between } from '../random.ts'
import { clamp, type Scene, smooth } from '../scene.ts'
import { createSky } from '../sky.ts'

/** Ranges behind ranges under a sky, each paler the farther it is; where the prompt names still water, water before them that mirrors it all. */
export function landscape(ground: Ground): Scene {
  return (input) => {
    const { width, height, palette, random, noise } = input
    const side = Math.min(width, height)
    const lake = ground !== 'dunes' && waters.some((word) => input.words.has(word))
    const unit = 1 / side
    const tall = height / side
    const shore = lake ? tall * between(random, 0.6, 0.68) : tall
    const night = isNight(input.words)
    const sky = createSky(input, tall * between(random, 0.56, 0.66) * (lake ? 0.92 : 1), night)
    const [deep, low, middle] = palette.stops as [Colour, Colour, Colour]
    const count = ground === 'city' ? 4 : lake ? 4 : 6
    const air = ground === 'city' && night ? mix(low, middle, 0.55) : sky.haze
    const layers: Layer[] = []
    for (let i = 0; i < count; i++) {
      const near = i / (count - 1)
      const base = lake
        ? shore - 0.13 * (1 - near) ** 1.2 * tall
        : sky.horizon + (tall * 1.04 - sky.horizon) * near ** 1.35 * 0.78
      const dark =
        near < 0.55 ? mix(air, mix(low, middle, 0.45), 0.3 + 1.1 * near) : mix(mix(low, middle, 0.3), deep, (near - 0.5) * 1.8)
      layers.push(createLayer(input, ground, near, base, dark, mix(dark, air, 0.75 - 0.55 * near), sky))
    }
    const above = (x: number, y: number, out: Float32Array, at: number) => {
      const px = x * unit
      const py = y * unit
      let from = layers.length - 1
      while (from >= 0 && y < layers[from]!.crest[x]! + 1) from--
      if (from < 0) sky.paint(px, py, out, at)
      for (let i = Math.max(0, from); i < layers.length; i++) {
        const layer = layers[i]!
        const cover = clamp(y + 1 - layer.crest[x]!)
        if (cover > 0)
          paintLayer(layer, noise, sky, px, py, (y - layer.crest[x]!) * unit, (y - layer.ground[x]!) * unit, cover, out, at)
      }
    }
    const shoreRow = shore * side
    const mirrored = new Float32Array(3)
    const tint = mix(low, middle, 0.4)
    return (y, row) => {
      for (let x = 0; x < width; x++) {
        if (y < shoreRow) {
          above(x, y, row, x * 3)
          continue
        }
        const depth = (y - shoreRow) * unit
        const wave = noise.at((x * unit * 5) / (0.25 + depth), 22 * Math.log(1 + depth * 14)) * (0.2 + depth * 2)
        const fromX = clamp(Math.round(x + wave * 0.02 * side), 0, width - 1)
        const fromY = clamp(Math.round(shoreRow - 1 - (y - shoreRow) * 1.25 - Math.abs(wave) * 0.03 * side), 0, height - 1)
        above(fromX, fromY, mirrored, 0)
        const fade = smooth(0, 0.5, depth) * 0.55 + 0.12
        const edge = 0.22 * Math.exp(-depth * 90)
        for (let c = 0; c < 3; c++)
          row[x * 3 + c] = mirrored[c]! * (1 - fade) * 0.93 + tint[c]! * fade * 0.6 + sky.haze[c]! * edge
      }
    }
  }
}

const waters = ['lake', 'lakes', 'river', 'fjord', 'reflection', 'reflections', 'pond', 'aurora', 'canal', 'water', 'bay']

export function isNight(words: ReadonlySet<string>): boolean {
  return ['night', 'midnight', 'moon', 'moonlight', 'moonlit', 'stars', 'starry', 'aurora', 'neon', 'cyberpunk'].some((word) =>
    words.has(word),
  )
}
