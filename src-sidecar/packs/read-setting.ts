import type { PackSettings, Sweep } from '../contract/pack.ts'
import { readSettingValue, readSweepValues, settingNames } from '../contract/sweep.ts'
import { AppError } from '../errors/app-error.ts'
import type { JsonValue } from './formats/json-tree.ts'
import { didYouMean } from './nearest-name.ts'
import { type SectionName, unusedSettings, usedNames } from './own-settings.ts'

type Sections = Readonly<Record<string, JsonValue>>

/**
 * `--set` over the settings of a pack: `steps=30`, `txt2img.steps=30`, or any other that a `.json` pack may have, as
 * `upscale.upscaler=Lanczos`; setting something of a stage switches it on.
 * @param sections of the pack, as `preset_data`
 * @returns the sections with what was set, and what counts over them
 * @throws AppError `bad_request`
 */
export function readSettings(texts: readonly string[], sections: Sections): { sections: Sections; settings: PackSettings } {
  const changed: Record<string, JsonValue> = { ...sections }
  const put = (section: string, name: string, value: JsonValue) => {
    const before = changed[section]
    changed[section] = { ...(typeof before === 'object' && before !== null && !Array.isArray(before) && before), [name]: value }
  }
  let settings: PackSettings = {}
  const sectioned: string[] = []
  for (const text of texts) {
    const [, section = '', name = '', value = ''] = /^(\w+)\.([^=]*)=(.*)$/s.exec(text) ?? []
    const isPlain = section === '' || (section === 'txt2img' && name.trim() in settingNames)
    if (isPlain || !(section in usedNames)) settings = { ...settings, ...readSetting(text) }
    else {
      const names: readonly string[] = usedNames[section as SectionName]
      if (!names.includes(name.trim()))
        throw new AppError(
          'bad_request',
          `"${text}" sets nothing that is known.${didYouMean(name, names)} The names of ${section} are ${names.join(', ')}.`,
        )
      put(section, name.trim(), typed(value.trim()))
      if (section === 'txt2img' && name.startsWith('hr_')) put('txt2img', 'enable_hr', true)
      if (section !== 'txt2img' && section !== 'pipeline') sectioned.push(section)
    }
  }
  for (const section of sectioned) put('pipeline', `${section}_enabled`, true)
  const wrong = unusedSettings(changed).filter((one) => sectioned.some((section) => one.startsWith(`${section} (`)))
  if (wrong.length > 0) throw new AppError('bad_request', `The settings of ${wrong.join(', ')} can't be used.`)
  return { sections: changed, settings }
}

/** As JSON would have it; what is none is a text. */
function typed(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text)
    return typeof value === 'object' ? text : value
  } catch {
    return text
  }
}

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
