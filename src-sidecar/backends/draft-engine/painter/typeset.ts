import type { Recipe } from './recipe.ts'

/** Lettering over a picture. */
export interface Lettering {
  /** Inks row `y` of linear values. */
  inkRow(y: number, row: Float32Array): void
}

export async function letter(_recipe: Recipe, _width: number, _height: number): Promise<Lettering> {
  return { inkRow: () => {} }
}
