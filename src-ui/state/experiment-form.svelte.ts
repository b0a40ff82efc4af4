import type { ExperimentRequest, ReviewKind } from '../../src-sidecar/contract/learning.ts'
import { type Recipe, type RecipeDefaults, recipeDefaultsSchema } from '../../src-sidecar/contract/recipe.ts'
import { findVariable, loraVariable, type Value, type Variable } from '../../src-sidecar/contract/variables.ts'
import { readRows, readValues } from './experiment-values.ts'

/** The LoRA whose strength is varied is named beside it. */
export const loraChoice = 'lora'

/** What a new experiment is to be, as it is entered; stays while other pages are looked at. */
export class ExperimentForm {
  choice = $state('cfgScale')
  lora = $state('')
  /** As typed, by variable. */
  numbers = $state.raw<Readonly<Record<string, string>>>({})
  names = $state.raw<Readonly<Record<string, readonly string[]>>>({})
  from = $state<'pack' | 'text'>('pack')
  packId = $state<string | null>(null)
  /** Numbers of its prompts as typed; empty: all. */
  rows = $state('')
  prompt = $state('')
  negativePrompt = $state('')
  images = $state(2)
  review = $state<ReviewKind>('stars')
  settings = $state.raw<Partial<RecipeDefaults>>({})
  name = $state('')

  variable = $derived.by((): Variable => {
    if (this.choice === loraChoice) return loraVariable(this.lora.trim())
    return findVariable(this.choice)!
  })
  typed = $derived(this.numbers[this.choice] ?? suggestions[this.choice] ?? '')
  /** Or what is wrong with them. */
  values = $derived.by((): Value[] | string => {
    if (this.variable.of !== 'number') return [...(this.names[this.choice] ?? [])]
    return readValues(this.typed)
  })

  /** Why it can't be queued yet. @param promptCount of the pack that is chosen */
  problem(promptCount: number): string | null {
    if (this.choice === loraChoice && !this.lora.trim()) return 'Name the LoRA.'
    if (typeof this.values === 'string') return this.values
    if (this.values.length < 2) return 'Give two values at least.'
    if (this.from === 'text') return this.prompt.trim() ? null : 'Write a prompt.'
    if (!this.packId) return 'Choose a pack.'
    const rows = readRows(this.rows, promptCount)
    return typeof rows === 'string' ? rows : null
  }

  /** Prompts and settings of an image that was made; what is tried stays as it was. */
  takeFrom({ prompt, negativePrompt, ...recipe }: Recipe): void {
    this.from = 'text'
    this.prompt = prompt
    this.negativePrompt = negativePrompt
    this.settings = recipeDefaultsSchema.partial().parse(recipe)
  }

  request(promptCount: number): ExperimentRequest {
    const { name, images, review, settings } = this
    const rows = readRows(this.rows, promptCount)
    const source: ExperimentRequest['source'] =
      this.from === 'text'
        ? { from: 'text', prompt: this.prompt, negativePrompt: this.negativePrompt }
        : { from: 'pack', packId: this.packId ?? '', ...(Array.isArray(rows) && { prompts: rows }) }
    const values = typeof this.values === 'string' ? [] : this.values
    return { name, variable: this.variable.id, values, source, images, review, settings }
  }
}

/** Values that are worth a look. */
const suggestions: Readonly<Record<string, string>> = {
  cfgScale: '3..9:2',
  steps: '12, 20, 32',
  clipSkip: '1, 2',
  width: '512, 768',
  height: '512, 768',
  'hires.denoisingStrength': '0.3..0.6:0.1',
  'hires.scale': '1.5, 2',
  'hires.steps': '10, 20',
  'refiner.switchAt': '0.6..0.9:0.1',
  'adetailer.denoisingStrength': '0.2..0.5:0.1',
  'adetailer.confidence': '0.2..0.5:0.1',
  'stages.img2img.denoisingStrength': '0.3..0.6:0.1',
  'stages.img2img.steps': '15, 25',
  'stages.img2img.cfgScale': '4..8:2',
  'stages.upscale.scale': '1.5, 2, 3',
  [loraChoice]: '0.4..1:0.2',
}
