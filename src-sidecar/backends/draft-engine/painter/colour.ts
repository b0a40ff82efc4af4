/** Linear light, red green blue, 0 to 1 (highlights may go above). */
export type Colour = readonly [number, number, number]

/** Colours along 0 … 1, read from a table. */
export interface Ramp {
  /** Index of the first of three values in `table` for a place from 0 to 1; outside is clamped. */
  at(place: number): number
  readonly table: Float32Array
}

const rampSize = 1024

/** '#rrggbb' as linear light. */
export function colour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16)
  return [toLinear((value >> 16) / 255), toLinear(((value >> 8) & 255) / 255), toLinear((value & 255) / 255)]
}

function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** sRGB, 0 to 255, of linear light, by 4096 steps of the square root, which spreads them evenly over what the eye sees. */
const encoded = new Float32Array(4097)
for (let i = 0; i <= 4096; i++) {
  const linear = (i / 4096) ** 2
  encoded[i] = 255 * (linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055)
}

/** Linear light of an sRGB byte. */
export const decoded = Float32Array.from({ length: 256 }, (_, i) => toLinear(i / 255))

/** The sRGB byte for linear light; `dither`, 0 to 1, hides the steps between bytes. */
export function toByte(linear: number, dither: number): number {
  const root = linear <= 0 ? 0 : linear >= 1 ? 1 : Math.sqrt(linear)
  const value = encoded[(root * 4096) | 0]! + dither
  return value > 255 ? 255 : value | 0
}

/** Mixes two colours in Oklab, where the way between two hues stays clear instead of going grey. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  const from = toOklab(a)
  const to = toOklab(b)
  return fromOklab([
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ])
}

/** Lightness times `light`, chroma times `chroma`, in Oklab. */
export function shade(base: Colour, light: number, chroma = 1): Colour {
  const [l, a, b] = toOklab(base)
  return fromOklab([l * light, a * chroma, b * chroma])
}

/** A ramp through `stops`, evenly spaced. */
export function ramp(stops: readonly Colour[]): Ramp {
  const table = new Float32Array(rampSize * 3)
  for (let i = 0; i < rampSize; i++) {
    const place = (i / (rampSize - 1)) * (stops.length - 1)
    const index = Math.min(Math.floor(place), Math.max(0, stops.length - 2))
    table.set(mix(stops[index]!, stops[Math.min(index + 1, stops.length - 1)]!, place - index), i * 3)
  }
  return {
    table,
    at: (place) => (place <= 0 ? 0 : place >= 1 ? (rampSize - 1) * 3 : ((place * (rampSize - 1)) | 0) * 3),
  }
}

function toOklab([r, g, b]: Colour): Colour {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

function fromOklab([light, a, b]: Colour): Colour {
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    Math.max(0, 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    Math.max(0, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    Math.max(0, -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}
