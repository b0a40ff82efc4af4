import type { Pacer } from '../pacer.ts'
import type { Pixels } from '../png.ts'
import { toByte } from './colour.ts'
import { composeScene } from './compose-scene.ts'
import type { Recipe } from './recipe.ts'
import { smooth } from './scene.ts'
import { blendStart } from './start-blend.ts'
import { type Lettering, letter } from './typeset.ts'

/** A picture that is painted row by row, at the recipe's size or smaller. */
export class Canvas {
  readonly width: number
  readonly height: number
  readonly #data: Uint8Array
  readonly #row: Float32Array
  readonly #recipe: Recipe
  #paintRow: ((y: number, row: Float32Array) => void) | null = null
  #lettering: Lettering | null = null
  #done = 0

  constructor(recipe: Recipe, width: number, height: number) {
    this.#recipe = recipe
    this.width = width
    this.height = height
    this.#data = new Uint8Array(width * height * 3)
    this.#row = new Float32Array(width * 3)
  }

  /** Paints on until `share` (0 to 1) of the rows is done. */
  async paintTo(share: number, pacer: Pacer): Promise<void> {
    const until = Math.min(this.height, Math.ceil(this.height * share))
    this.#lettering ??= await letter(this.#recipe, this.width, this.height)
    this.#paintRow ??= composeScene(this.#recipe, this.width, this.height)
    while (this.#done < until) {
      this.#paintRow(this.#done, this.#row)
      this.#keepRow(this.#done++)
      if (pacer.isDue()) await pacer.pause()
    }
  }

  /** The whole picture. */
  async finish(pacer: Pacer): Promise<Pixels> {
    await this.paintTo(1, pacer)
    return { width: this.width, height: this.height, data: this.#data }
  }

  #keepRow(y: number): void {
    const row = this.#row
    const lettering = this.#lettering!
    const { width, height } = this
    const { start, cfgScale } = this.#recipe
    if (start) blendStart(start, y, row, width, height, lettering.cover(y))
    grade(row, 1 + 0.02 * Math.max(-12, Math.min(14, cfgScale - 7)))
    lettering.inkRow(y, row)
    const v = y / height - 0.5
    let at = y * width * 3
    let noise = Math.imul(y + 1, 0x9e3779b1) ^ this.#recipe.seed
    for (let x = 0; x < width; x++) {
      const u = x / width - 0.5
      const corner = 1 - 0.35 * smooth(0.25, 0.62, u * u + v * v)
      for (let c = 0; c < 3; c++) {
        noise = Math.imul(noise ^ (noise >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
        const dither = ((noise >>> 8) & 0xffff) / 65536
        this.#data[at++] = toByte(row[x * 3 + c]! * corner, dither)
      }
    }
  }
}

/** A higher CFG scale gives stronger colours, as it does with a model; highlights bend towards white instead of breaking off. */
function grade(row: Float32Array, saturation: number): void {
  for (let i = 0; i < row.length; i += 3) {
    const grey = 0.21 * row[i]! + 0.72 * row[i + 1]! + 0.07 * row[i + 2]!
    for (let c = i; c < i + 3; c++) {
      const value = Math.max(0, grey + (row[c]! - grey) * saturation)
      row[c] = value > 0.75 ? 1 - 0.0625 / (value - 0.5) : value
    }
  }
}
