import type { Image } from '../../src-sidecar/contract/image.ts'
import { modelKey } from '../../src-sidecar/contract/model-key.ts'

/** Where the server did not use what it was asked for, as sentences: it may round, fall back or ignore without a word. */
export function usedDifferences({ recipe, parameters, ...used }: Image): string[] {
  const settings = parameters.slice(parameters.lastIndexOf('\n') + 1)
  const inText = (name: string) =>
    settings.match(new RegExp(`(?:^|, )${name}: ("[^"]*"|[^,]+)`))?.[1]?.replaceAll('"', '') ?? null
  // Nothing of the recipe but the picture counts.
  if (recipe.source?.as === 'upscale') return []
  // A stage has values of its own, and not all of them stand in the text.
  const staged = (recipe.stages ?? []).length > 0
  const sampler = inText('Sampler')
  // In blocks of 8, as A1 rounds them.
  const hires = recipe.source === undefined ? recipe.hires : null
  const scaled = (pixels: number) => (hires ? Math.floor((pixels * hires.scale) / 8) * 8 : pixels)
  const done = (name: string, asked: boolean, proof: string) =>
    asked && settings !== '' && inText(proof) === null ? `${name} was asked for, and not done: this backend can't.` : null
  const { checkpoint } = recipe
  const seed = (recipe.seed + used.imageIndex) % 2 ** 32
  return [
    staged ? null : differs('Size', `${scaled(recipe.width)} × ${scaled(recipe.height)}`, `${used.width} × ${used.height}`),
    differs('Seed', String(seed), String(used.seed)),
    staged ? null : differs('Steps', String(recipe.steps), inText('Steps')),
    staged ? null : differs('CFG scale', String(recipe.cfgScale), inText('CFG scale')),
    staged || (sampler !== null && sameSampler(recipe.samplerName, recipe.scheduler, sampler))
      ? null
      : differs('Sampler', recipe.samplerName, sampler),
    !checkpoint || !used.checkpoint || modelKey(checkpoint) === modelKey(used.checkpoint)
      ? null
      : differs('Checkpoint', checkpoint, used.checkpoint),
    recipe.clipSkip && recipe.clipSkip > 1 ? differs('Clip skip', String(recipe.clipSkip), inText('Clip skip') ?? '1') : null,
    done('Hires fix', !staged && !!hires, 'Hires upscale'),
    done('The refiner', !staged && !!recipe.refiner, 'Refiner'),
    done('ADetailer', !staged && (recipe.adetailer ?? []).length > 0, 'ADetailer model'),
  ].filter((one) => one !== null)
}

const differs = (name: string, asked: string, used: string | null): string | null =>
  used === null || used === asked || Number(used) === Number(asked) ? null : `${name}: asked for ${asked}, made with ${used}.`

/** A1 before 1.9 writes both in one: "DPM++ 2M Karras". */
const sameSampler = (name: string, scheduler: string, used: string): boolean =>
  used.toLowerCase() === name.toLowerCase() || used.toLowerCase() === `${name} ${scheduler}`.toLowerCase()
