import { localDate, safeFileName } from './file-name.ts'
import type { Recipe } from './recipe.ts'

/** What a pattern for file names can hold in brackets, and what it becomes. */
export const imageTokens = {
  date: 'day, as 2026-01-31',
  time: 'time, as 235959',
  pack: 'name of the pack',
  number: 'number of the prompt, from 001',
  image: 'number of the image, where a job makes several',
  prompt: 'begin of the prompt',
  seed: 'seed',
  model: 'checkpoint',
  sampler: 'sampler',
  scheduler: 'scheduler',
  steps: 'steps',
  cfg: 'CFG scale',
  size: 'size, as 512x768',
  width: 'width in pixels',
  height: 'height in pixels',
  stage: 'last stage, as upscale',
  job: 'number of the job',
} as const
export type ImageToken = keyof typeof imageTokens

/** Other names: those of A1 (`modules/images.py`, FilenameGenerator). */
const aliases: Readonly<Record<string, ImageToken>> = {
  model_name: 'model',
  prompt_spaces: 'prompt',
  prompt_no_styles: 'prompt',
  batch_number: 'image',
  generation_number: 'image',
  prompt_index: 'number',
}

export const defaultPattern = '[date]/[pack]/[number]-[image]-[prompt]-[seed]'
/** For a folder that is named each time. */
export const flatPattern = '[pack]-[number]-[image]-[seed]'

export type ImageNameValues = Readonly<Record<ImageToken, string>>

const token = /\[([a-z_]+)\]|\{([a-z_]+)\}/g

/**
 * The path of an image below the image folder, without its ending; safe on Linux, macOS and Windows, whatever the values. `/`
 * parts folders. A token that is not known stays as it is; one that is empty goes with one of the marks beside it.
 */
export function imageName(pattern: string, values: ImageNameValues): string {
  const filled = (part: string) =>
    part
      .replaceAll(token, (whole, square?: string, curly?: string) => {
        const name = square ?? curly ?? ''
        const value = values[(aliases[name] ?? name) as ImageToken]
        if (value === undefined) return whole
        return value === '' ? '' : safeFileName(value, name.startsWith('prompt') ? 40 : 60)
      })
      .replaceAll(/([-_ ])[-_ ]+/g, '$1')
      .replace(/[-_ ]+$/, '')
  const parts = pattern.split(/[/\\]+/).filter((part) => part.trim() !== '')
  return (parts.length > 0 ? parts : [defaultPattern]).map((part) => safeFileName(filled(part), 180, 200)).join('/')
}

/** Tokens of a pattern that mean nothing. */
export const unknownTokens = (pattern: string): string[] =>
  [...pattern.matchAll(token)].flatMap(([whole, square, curly]) => {
    const name = square ?? curly ?? ''
    return name in imageTokens || name in aliases ? [] : [whole]
  })

/** What the tokens are for one image. */
export function imageNameValues(about: {
  readonly packName: string
  readonly promptIndex: number
  readonly jobId: number
  /** From 0. */
  readonly imageIndex: number
  readonly recipe: Recipe
  readonly stage: string
  readonly used: { readonly seed: number; readonly width: number; readonly height: number; readonly checkpoint: string }
  readonly createdAtMs: number
}): ImageNameValues {
  const { recipe, used, createdAtMs } = about
  return {
    date: localDate(createdAtMs),
    time: new Date(createdAtMs).toTimeString().slice(0, 8).replaceAll(':', ''),
    pack: about.packName,
    number: String(about.promptIndex + 1).padStart(3, '0'),
    image: recipe.images > 1 ? String(about.imageIndex + 1) : '',
    prompt: recipe.prompt || 'untitled',
    seed: String(used.seed),
    model: used.checkpoint || recipe.checkpoint || '',
    sampler: recipe.samplerName,
    scheduler: recipe.scheduler,
    steps: String(recipe.steps),
    cfg: String(recipe.cfgScale),
    size: `${used.width}x${used.height}`,
    width: String(used.width),
    height: String(used.height),
    stage: about.stage,
    job: String(about.jobId),
  }
}
