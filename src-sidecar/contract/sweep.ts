import { z } from 'zod'
import type { Sweep } from './pack.ts'
import { recipeSchema } from './recipe.ts'

/** Names of the settings in a `.json` pack, on the command line and in sweeps, and what they are in a recipe. */
export const settingNames = {
  steps: 'steps',
  sampler_name: 'samplerName',
  scheduler: 'scheduler',
  cfg_scale: 'cfgScale',
  width: 'width',
  height: 'height',
  seed: 'seed',
  model: 'checkpoint',
} as const

const maxValues = 10_000
const texts: readonly Sweep['key'][] = ['checkpoint', 'samplerName', 'scheduler']

/** What each can be. */
export const settingSchemas = { ...recipeSchema.shape, checkpoint: z.string().max(1000) }

/**
 * The values of a sweep as they are typed, in the app and on the command line: `4..9:1` (from, to, step; the step is 1 where
 * it is left out) or `20, 30`.
 * @returns the values, or what is wrong as a sentence
 */
export function readSweepValues(key: Sweep['key'], text: string): (string | number)[] | string {
  const typed = typedValues(text)
  if (typeof typed === 'string') return typed
  const values: (string | number)[] = []
  for (const one of typed) {
    const value = readSettingValue(key, String(one))
    if (typeof value === 'object') return value.problem
    values.push(value)
  }
  return values
}

/** What stands there, a range written out; or what is wrong with it. */
export function typedValues(text: string): (string | number)[] | string {
  const range = /^\s*(-?[\d.]+)\s*\.\.\s*(-?[\d.]+?)\s*(?::\s*(-?[\d.]+)\s*)?$/.exec(text)
  const typed = range ? inRange(Number(range[1]), Number(range[2]), Number(range[3] ?? 1)) : text.split(',')
  return typed ?? `"${text}" is no range. Write from..to:step, as 4..9:1, with at most ${maxValues} values.`
}

/** One value as it is typed, or what is wrong with it. */
export function readSettingValue(key: Sweep['key'], text: string): string | number | { problem: string } {
  const word = text.trim()
  const value = texts.includes(key) || word === '' ? word : Number(word)
  if (Number.isNaN(value)) return { problem: `${key} can't be "${word}": it is no number.` }
  const result = settingSchemas[key].safeParse(value)
  return result.success ? result.data : { problem: `${key} can't be "${word}": ${result.error.issues[0]?.message}.` }
}

function inRange(from: number, to: number, step: number): number[] | null {
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (!(step > 0) || !(count > 0) || count > maxValues) return null
  // 0.1 three times is 0.30000000000000004.
  return Array.from({ length: count }, (_, at) => Number((from + at * step).toFixed(6)))
}
