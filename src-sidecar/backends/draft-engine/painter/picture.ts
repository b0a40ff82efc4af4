import type { Pacer } from '../pacer.ts'
import type { Pixels } from '../png.ts'
import { Canvas } from './canvas.ts'
import { diffuse, enlarge } from './diffusion.ts'
import type { Recipe } from './recipe.ts'

/** Longest side of a preview, in pixels. */
const previewSide = 384
/** Longest side that a given-up picture is worked out at. */
const partialSide = 640

/** A picture that comes out of noise: painted a share at a time, to be looked at before it is done. */
export class Picture {
  readonly #recipe: Recipe
  readonly #canvas: Canvas
  #sketch: Promise<Pixels> | null = null

  constructor(recipe: Recipe) {
    this.#recipe = recipe
    this.#canvas = new Canvas(recipe, recipe.width, recipe.height)
  }

  /** Does the work that belongs to the first `share` (0 to 1) of the steps. */
  advance(share: number, pacer: Pacer): Promise<void> {
    return this.#canvas.paintTo(share, pacer)
  }

  finish(pacer: Pacer): Promise<Pixels> {
    return this.#canvas.finish(pacer)
  }

  /** What the latent would look like after `share` of the steps, at most 384 pixels a side. Costs nothing until it is called. */
  async preview(share: number, pacer: Pacer): Promise<Pixels> {
    const sketch = await this.#sketchOnce(pacer)
    return diffuse(sketch, sketch.width, sketch.height, share, this.#recipe.seed, pacer)
  }

  /** The same at full size, for a picture that is given up: coarse where it is large, because who gives up wants to go on. */
  async partial(share: number, pacer: Pacer): Promise<Pixels> {
    const sketch = await this.#sketchOnce(pacer)
    const { width, height, seed } = this.#recipe
    const scale = Math.min(1, partialSide / Math.max(width, height))
    const noisy = await diffuse(sketch, Math.round(width * scale), Math.round(height * scale), share, seed, pacer)
    return scale < 1 ? enlarge(noisy, width, height, pacer) : noisy
  }

  #sketchOnce(pacer: Pacer): Promise<Pixels> {
    const { width, height } = this.#recipe
    const scale = Math.min(1, previewSide / Math.max(width, height))
    this.#sketch ??= new Canvas(this.#recipe, Math.round(width * scale), Math.round(height * scale)).finish(pacer)
    return this.#sketch
  }
}
