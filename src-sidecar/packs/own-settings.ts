import type { PackSettings } from '../contract/pack.ts'
import { recipeSchema } from '../contract/recipe.ts'
import { settingNames } from '../contract/sweep.ts'
import type { JsonValue } from './formats/json-tree.ts'

/**
 * The settings that a `.json` pack brings along: `txt2img`, and `images_per_prompt` of `pipeline`. What is missing, out of
 * range or of another type is passed over; a seed of −1 is random, and so none.
 */
export function ownSettings(settings: Readonly<Record<string, JsonValue>>): PackSettings {
  const [txt2img, pipeline] = [section(settings.txt2img), section(settings.pipeline)]
  const known = Object.entries(settingNames).flatMap(([name, key]) => {
    const value = recipeSchema.shape[key].safeParse(tidy(txt2img[name]))
    return value.success ? [[key, value.data]] : []
  })
  const images = recipeSchema.shape.images.max(1000).safeParse(pipeline.images_per_prompt)
  return { ...Object.fromEntries(known), ...(images.success && { images: images.data }) }
}

const section = (value: JsonValue | undefined): Readonly<Record<string, JsonValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, JsonValue>) : {}

/** Sliders have left 5.0000000000000036 in files. */
function tidy(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
