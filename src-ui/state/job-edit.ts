import type { JobChange } from '../../src-sidecar/contract/queue-request.ts'
import type { Recipe } from '../../src-sidecar/contract/recipe.ts'

/** A recipe as it will be with what was changed in the form. */
export function editedJob(recipe: Recipe, { pinnedTo: _, ...change }: JobChange): Recipe {
  const set = Object.entries(change).filter(([, value]) => value !== undefined)
  return { ...recipe, ...Object.fromEntries(set) }
}
