import { type Colour, mix, ramp } from '../colour.ts'
import { between } from '../random.ts'
import { clamp, type Scene, smooth } from '../scene.ts'

/** A banded planet, sometimes ringed, before a nebula and stars. */
export const cosmos: Scene = ({ width, height, palette, random, noise, words }) => {
  const side = Math.min(width, height)
  const unit = 1 / side
  const across = width / side
  const tall = height / side
  const [deep, low, middle, light, pale] = palette.stops as [Colour, Colour, Colour, Colour, Colour]
  const black: Colour = [0.0015, 0.002, 0.006]
  const gas = ramp([black, mix(black, deep, 0.7), mix(deep, low, 0.7), middle, light])
  const surface = ramp([mix(low, middle, 0.4), middle, light, pale, mix(light, middle, 0.4), mix(middle, light, 0.7)])
  const radius = between(random, 0.2, 0.31)
  const centreX = across * between(random, 0.34, 0.66)
  const centreY = tall * between(random, 0.36, 0.46)
  const tilt = between(random, -0.5, 0.5)
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)]
  const sunAngle = between(random, -2.6, -0.5)
  const sunX = Math.cos(sunAngle) * 0.8
  const sunY = Math.sin(sunAngle) * 0.8
  const ringed = random() < 0.5 || ['ring', 'rings', 'ringed', 'saturn'].some((word) => words.has(word))
  const flat = between(random, 0.16, 0.3)
  const drift = between(random, 0, 100)
  const bands = between(random, 2.5, 5)

  /** How bright the ring is at a place of its plane, 0 outside of it. */
  const ringAt = (distance: number) => {
    const t = distance / radius
    if (t < 1.35 || t > 2.25) return 0
    const gap = 1 - 0.8 * Math.exp(-(((t - 1.92) / 0.025) ** 2))
    return smooth(1.35, 1.45, t) * smooth(2.25, 2.12, t) * gap * (0.55 + 0.4 * noise.at(t * 16 + drift, 0.5))
  }

  return (y, row) => {
    for (let x = 0; x < width; x++) {
      const px = x * unit
      const py = y * unit
      const dx = px - centreX
      const dy = py - centreY
      const warp = noise.fractal(px * 1.2 + drift, py * 1.2, 3)
      const cloud = noise.fractal(px * 1.5 + warp * 1.5, py * 1.5 + drift + warp, 4)
      const mass = clamp(0.42 + 0.85 * cloud + 0.4 * warp)
      const at = gas.at(mass * mass * 1.15)
      const star = starAt(px, py, 34, unit, 0.75) + starAt(px + 7, py, 11, unit, 0.82) * 1.7
      const distance = Math.sqrt(dx * dx + dy * dy) / radius
      const air =
        distance > 1 ? Math.exp(-(distance - 1) * 9) * clamp(0.45 + (0.55 * (dx * sunX + dy * sunY)) / (radius * distance)) : 0
      const inside = clamp((1 - distance) * radius * side + 0.5)
      const rx = cos * dx + sin * dy
      const ry = cos * dy - sin * dx
      const ringLight = ringed ? ringAt(Math.sqrt(rx * rx + (ry / flat) ** 2)) : 0
      const front = ry > 0 || distance > 1 ? ringLight : 0
      let day = 0
      let band = 0
      if (inside > 0) {
        const z = Math.sqrt(Math.max(0, 1 - distance * distance))
        const lat = ry / radius
        const lon = rx / radius / (0.6 + z)
        const stir = noise.fractal(lon * 1.6 + drift, lat * 5, 4)
        band = surface.at(0.5 + 0.5 * Math.sin(lat * bands * 2.4 + stir * 2.2 + drift))
        day = clamp(((dx * sunX + dy * sunY) / radius) * 0.95 + z * 0.6) ** 1.1
      }
      const rim = inside * smooth(0.78, 1, distance) * day
      for (let c = 0; c < 3; c++) {
        let value = gas.table[at + c]! + star * (1 - inside) + light[c]! * air * 0.55
        if (inside > 0) value += (surface.table[band + c]! * (0.012 + day * 1.05) + light[c]! * rim * 0.5 - value) * inside
        value += (mix3(pale[c]!, light[c]!, ringLight) * 0.85 - value) * front * 0.8
        row[x * 3 + c] = value
      }
    }
  }
}

function mix3(a: number, b: number, share: number): number {
  return a + (b - a) * share
}

function starAt(x: number, y: number, cells: number, unit: number, rare: number): number {
  const column = Math.floor(x * cells)
  const line = Math.floor(y * cells)
  let h = Math.imul(column * 374761393 + line * 668265263 + cells, 1274126177)
  h = Math.imul(h ^ (h >>> 13), 0x5bd1e995)
  const brightness = ((h >>> 24) & 255) / 255
  if (brightness < rare) return 0
  const dx = x * cells - column - 0.2 - 0.6 * (((h >>> 16) & 255) / 255)
  const dy = y * cells - line - 0.2 - 0.6 * (((h >>> 8) & 255) / 255)
  const size = Math.max(0.045 * brightness, 0.7 * unit * cells)
  return Math.exp(-(dx * dx + dy * dy) / (size * size)) * (brightness - rare + 0.12) * 3
}
