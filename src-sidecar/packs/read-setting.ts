import type { PackSettings, Sweep } from '../contract/pack.ts'
import { recipeSchema } from '../contract/recipe.ts'
import { AppError } from '../errors/app-error.ts'
import { didYouMean } from './nearest-name.ts'
import { settingNames } from './own-settings.ts'

const maxValues = 10_000

/** `txt2img.steps=30` or `steps=30`. @throws AppError `bad_request` */
export function readSetting(text: string): PackSettings {
  const { key, value } = split(text)
  return { [key]: checked(key, value) }
}

/** `cfg_scale=4..9:1` (from, to, step; the step is 1 where it is left out) or `steps=20,30`. @throws AppError `bad_request` */
export function readSweep(text: string): Sweep {
  const { key, value } = split(text)
  const range = /^(-?[\d.]+)\.\.(-?[\d.]+?)(?::(-?[\d.]+))?$/.exec(value)
  const values = range ? inRange(text, Number(range[1]), Number(range[2]), Number(range[3] ?? 1)) : value.split(',')
  return { key, values: values.map((one) => checked(key, String(one))) }
}

function split(text: string): { key: Sweep['key']; value: string } {
  const [, name = '', value = ''] = /^(?:txt2img\.)?([^=]*)=(.*)$/s.exec(text) ?? []
  const key = new Map(Object.entries(settingNames)).get(name.trim() as keyof typeof settingNames)
  if (key !== undefined) return { key, value: value.trim() }
  const names = Object.keys(settingNames)
  throw new AppError(
    'bad_request',
    `"${text}" sets nothing that is known.${didYouMean(name, names)} Write name=value; the names are ${names.join(', ')}.`,
  )
}

function inRange(text: string, from: number, to: number, step: number): number[] {
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (!(step > 0) || !(count > 0) || count > maxValues)
    throw new AppError('bad_request', `"${text}" is no range. Write from..to:step, as 4..9:1, with at most ${maxValues} values.`)
  // 0.1 three times is 0.30000000000000004.
  return Array.from({ length: count }, (_, at) => Number((from + at * step).toFixed(6)))
}

function checked(key: Sweep['key'], text: string): string | number {
  const schema = recipeSchema.shape[key]
  const value = key === 'samplerName' || key === 'scheduler' || text.trim() === '' ? text.trim() : Number(text)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new AppError('bad_request', `${key} can't be "${text}": ${result.error.issues[0]?.message}.`)
}
