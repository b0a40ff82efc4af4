import type { PackSettings, Sweep } from '../contract/pack.ts'
import { readSettingValue, readSweepValues, settingNames } from '../contract/sweep.ts'
import { AppError } from '../errors/app-error.ts'
import { didYouMean } from './nearest-name.ts'

/** `txt2img.steps=30` or `steps=30`. @throws AppError `bad_request` */
export function readSetting(text: string): PackSettings {
  const { key, value } = split(text)
  const read = readSettingValue(key, value)
  if (typeof read === 'object') throw new AppError('bad_request', read.problem)
  return { [key]: read }
}

/** `cfg_scale=4..9:1` or `steps=20,30`. @throws AppError `bad_request` */
export function readSweep(text: string): Sweep {
  const { key, value } = split(text)
  const values = readSweepValues(key, value)
  if (typeof values === 'string') throw new AppError('bad_request', values)
  return { key, values }
}

function split(text: string): { key: Sweep['key']; value: string } {
  const [, name = '', value = ''] = /^(?:txt2img\.)?([^=]*)=(.*)$/s.exec(text) ?? []
  const key = new Map<string, Sweep['key']>(Object.entries(settingNames)).get(name.trim())
  if (key !== undefined) return { key, value: value.trim() }
  const names = Object.keys(settingNames)
  throw new AppError(
    'bad_request',
    `"${text}" sets nothing that is known.${didYouMean(name, names)} Write name=value; the names are ${names.join(', ')}.`,
  )
}
