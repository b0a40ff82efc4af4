import type { PictureSettings } from '../contract/picture-settings.ts'
import { adetailerSchema, hiresSchema, type RecipeDefaults, recipeDefaultsSchema, recipeSchema } from '../contract/recipe.ts'
import { adetailerSuffixes } from './infotext.ts'

/** The three parts of an infotext; `fields` by their names, in their order. */
export interface ReadInfotext {
  readonly prompt: string
  readonly negativePrompt: string
  readonly fields: ReadonlyMap<string, string>
}

// Without A1's blanks in front and with an end to names, so that it takes no time on a long text that has none.
const field = /([\p{L}\p{N}_][\p{L}\p{N}_ \-/]{1,80}):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/gu
const negativeMark = 'Negative prompt:'

/** Reads A1's infotext as A1 does (its `modules/infotext_utils.py`, `parse_generation_parameters`). Never throws: any text has a prompt. */
export function readInfotext(text: string): ReadInfotext {
  const lines = text.trim().split('\n')
  let last = lines.pop() ?? ''
  if ([...last.matchAll(field)].length < 3) {
    lines.push(last)
    last = ''
  }
  const positive: string[] = []
  const negative: string[] = []
  let into = positive
  for (const raw of lines) {
    let line = raw.trim()
    if (line.startsWith(negativeMark)) {
      into = negative
      line = line.slice(negativeMark.length).trim()
    }
    into.push(line)
  }
  const fields = new Map([...last.matchAll(field)].map(([, name = '', value = '']) => [name, unquoted(value)]))
  return { prompt: positive.join('\n'), negativePrompt: negative.join('\n'), fields }
}

/** What of an infotext a recipe can hold; null where the text has no settings, and so is none. Never throws. */
export function settingsOfInfotext(text: string): PictureSettings | null {
  const { prompt, negativePrompt, fields } = readInfotext(text)
  if (fields.size === 0) return null
  const used = new Set<string>(unimportant)
  const take = (name: string): string | undefined => {
    used.add(name)
    return fields.get(name)
  }
  const number = (name: string): number | undefined => {
    const value = take(name)
    return value === undefined || value === '' ? undefined : Number(value)
  }
  const [, width, height] = /^(\d+)x(\d+)$/.exec(take('Size') ?? '') ?? []
  const said: { [Key in keyof RecipeDefaults]?: unknown } = {
    ...sampling(take('Sampler'), take('Schedule type')),
    steps: number('Steps'),
    cfgScale: number('CFG scale'),
    width: width && Number(width),
    height: height && Number(height),
    checkpoint: take('Model'),
    vae: take('VAE'),
    clipSkip: number('Clip skip'),
    hires: fields.has('Hires upscale') ? hires(number, take) : undefined,
    refiner: fields.has('Refiner') ? { checkpoint: take('Refiner'), switchAt: number('Refiner switch at') } : undefined,
    adetailer: adetailer(fields, number, take),
  }
  const seed = recipeSchema.shape.seed.safeParse(number('Seed'))
  return {
    from: 'a1111',
    prompt,
    negativePrompt,
    ...(seed.success && { seed: seed.data }),
    settings: valid(said),
    ignored: [...fields.keys()].filter((name) => !used.has(name) && !name.endsWith(' hash') && !name.endsWith(' hashes')),
  }
}

/** What they say is of no use to a recipe. */
const unimportant = ['Version', 'ADetailer version', 'Model hash', 'VAE hash', 'Lora hashes']

/** Only what a recipe may hold. */
export function valid(said: { readonly [Key in keyof RecipeDefaults]?: unknown }): Partial<RecipeDefaults> {
  const kept = Object.entries(said).flatMap(([key, value]) => {
    const read = recipeDefaultsSchema.shape[key as keyof RecipeDefaults].safeParse(value)
    return read.success && read.data !== undefined ? [[key, read.data]] : []
  })
  return Object.fromEntries(kept)
}

/** Before A1 1.9 the scheduler stood behind the sampler: "DPM++ 2M Karras". */
function sampling(
  sampler: string | undefined,
  scheduler: string | undefined,
): Partial<Record<'samplerName' | 'scheduler', string>> {
  if (sampler === undefined) return {}
  const [, name, suffix] = /^(DPM.+) (Karras|Exponential)$/.exec(sampler) ?? []
  if (scheduler === undefined && name !== undefined && suffix !== undefined) return { samplerName: name, scheduler: suffix }
  return { samplerName: sampler, scheduler: scheduler ?? 'Automatic' }
}

type Take = (name: string) => string | undefined
type TakeNumber = (name: string) => number | undefined

function hires(number: TakeNumber, take: Take): unknown {
  const read = hiresSchema.safeParse({
    scale: number('Hires upscale'),
    upscaler: take('Hires upscaler'),
    steps: number('Hires steps'),
    denoisingStrength: number('Denoising strength'),
  })
  return read.success ? read.data : undefined
}

function adetailer(fields: ReadonlyMap<string, string>, number: TakeNumber, take: Take): unknown {
  const passes = adetailerSuffixes.flatMap((suffix) => {
    if (!fields.has(`ADetailer model${suffix}`)) return []
    const read = adetailerSchema.safeParse({
      model: take(`ADetailer model${suffix}`),
      prompt: take(`ADetailer prompt${suffix}`),
      negativePrompt: take(`ADetailer negative prompt${suffix}`),
      confidence: number(`ADetailer confidence${suffix}`),
      denoisingStrength: number(`ADetailer denoising strength${suffix}`),
    })
    return read.success ? [read.data] : []
  })
  return passes.length > 0 ? passes : undefined
}

/** As A1's `infotext_utils.unquote`. */
function unquoted(value: string): string {
  if (!/^".*"$/s.test(value) || value.length < 2) return value
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}
