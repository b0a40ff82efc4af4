import type { Noise } from './noise.ts'
import type { Palette } from './palettes.ts'
import type { Random } from './random.ts'

/** What a scene is painted from. `random` and `noise` belong to the recipe: the same each time. */
export interface SceneInput {
  readonly width: number
  readonly height: number
  readonly palette: Palette
  readonly random: Random
  readonly noise: Noise
  /** Lower-case words of the prompt. */
  readonly words: ReadonlySet<string>
}

/** Fills `row`, three linear values a pixel, with the picture's row `y`. Rows come in order, each once. */
export type RowPainter = (y: number, row: Float32Array) => void

/**
 * Sets a scene up: draws all its chances from `random`, and nothing that depends on the size, so that a small sketch and the
 * full picture show the same.
 */
export type Scene = (input: SceneInput) => RowPainter

export function clamp(value: number, low = 0, high = 1): number {
  return value < low ? low : Math.min(value, high)
}

/** 0 below `from`, 1 above `to`, smooth between; `from` may be the greater one. */
export function smooth(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from))
  return t * t * (3 - 2 * t)
}
