import type { RecipeDefaults } from '../../src-sidecar/contract/recipe.ts'
import type { Value, Variable } from '../../src-sidecar/contract/variables.ts'
import type { App } from './app.svelte.ts'
import { valueText } from './experiment-values.ts'
import { router } from './router.svelte.ts'
import { toasts } from './toasts.svelte.ts'

/** What of the defaults the value changes; empty where they have it. */
export function changedBy(variable: Variable, value: Value, recipe: RecipeDefaults): Partial<RecipeDefaults> {
  const before = { ...recipe, prompt: '' }
  const { prompt: _, ...after } = variable.write(before, value)
  const same = (key: keyof RecipeDefaults) => JSON.stringify(after[key]) === JSON.stringify(recipe[key])
  const keys = (Object.keys(after) as (keyof RecipeDefaults)[]).filter((key) => !same(key))
  return Object.fromEntries(keys.map((key) => [key, after[key]]))
}

/** Into the defaults of every recipe, from now on; the toast takes it back. */
export async function useAsDefault(app: App, variable: Variable, value: Value): Promise<void> {
  const before = app.settings.recipe
  const save = async (recipe: RecipeDefaults) => {
    app.settings = await app.api.saveSettings({ ...app.settings, recipe })
  }
  try {
    await save({ ...before, ...changedBy(variable, value, before) })
    toasts.show({
      kind: 'done',
      title: `${variable.title} is ${valueText(value)} by default now`,
      action: { label: 'Undo', run: () => void save(before).catch((error) => toasts.error(error)) },
    })
  } catch (error) {
    toasts.error(error)
  }
}

/** Into what is set below the prompts of a pack, and there; the toast takes it back. */
export function useForPack(app: App, packId: string, variable: Variable, value: Value): void {
  const before = app.packs.overrides
  app.packs.overrides = { ...before, ...changedBy(variable, value, { ...app.settings.recipe, ...before }) }
  router.go({ page: 'packs', packId })
  toasts.show({
    kind: 'done',
    title: `${variable.title} is ${valueText(value)} for what you queue here`,
    action: {
      label: 'Undo',
      run: () => {
        app.packs.overrides = before
      },
    },
  })
}
