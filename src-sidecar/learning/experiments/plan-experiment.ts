import { z } from 'zod'
import { type Design, type experimentRequestSchema, maxExperimentImages } from '../../contract/learning.ts'
import { type RecipeDefaults, recipeSchema } from '../../contract/recipe.ts'
import { findVariable, type Value } from '../../contract/variables.ts'
import { AppError } from '../../errors/app-error.ts'
import type { PromptToQueue } from '../../jobs/queue.ts'

/** A prompt of an experiment, and what its pack sets. */
export interface SourcePrompt {
  readonly promptIndex: number
  readonly prompt: string
  readonly negativePrompt: string
  readonly chosen: Design['prompts'][number]['chosen']
  readonly settings: Partial<RecipeDefaults>
  /** Undefined: any. */
  readonly seed: number | undefined
}

export interface PlanParts {
  readonly request: z.output<typeof experimentRequestSchema>
  readonly prompts: readonly SourcePrompt[]
  readonly packId: string | null
  readonly packName: string
  readonly defaults: RecipeDefaults
  readonly seed: number
  readonly randomSeed: () => number
}

export interface PlannedJob {
  readonly prompt: number
  readonly value: number
  readonly toQueue: PromptToQueue
}

export interface Plan {
  readonly design: Design
  /** One for each prompt and value. */
  readonly jobs: readonly PlannedJob[]
}

/**
 * A block design: each prompt and seed is made with every value, so that images are compared which differ in nothing else.
 * @throws AppError `bad_request` (no such variable, a value that a recipe can't take), `too_large`.
 */
export function planExperiment({ request, prompts, packId, packName, defaults, seed, randomSeed }: PlanParts): Plan {
  const variable = findVariable(request.variable)
  if (variable === undefined)
    throw new AppError('bad_request', `"${request.variable}" can't be varied: there is no such setting.`)
  const values = [...new Set(request.values)]
  if (values.length < request.values.length) throw new AppError('bad_request', 'Two of the values are the same.')
  const count = prompts.length * values.length * request.images
  if (count > maxExperimentImages)
    throw new AppError(
      'too_large',
      `This makes ${count.toLocaleString('en')} images; an experiment makes at most ${maxExperimentImages.toLocaleString('en')}. Take fewer prompts, values or images.`,
    )
  const design: Design = {
    variable: variable.id,
    values,
    prompts: prompts.map(({ promptIndex, prompt, negativePrompt, chosen, seed: own }) => {
      return { promptIndex, prompt, negativePrompt, chosen, seed: own ?? randomSeed() }
    }),
    images: request.images,
    review: request.review,
    packId,
    packName,
    seed,
  }
  const jobs = design.prompts.flatMap(({ promptIndex, prompt, negativePrompt, chosen, seed: first }, row) => {
    const recipe = { ...defaults, ...prompts[row]!.settings, ...request.settings, prompt }
    return values.map((value, at) => {
      const { prompt: text, ...settings } = variable.write(recipe, value)
      checkRecipe({ ...settings, prompt: text, negativePrompt, seed: first, images: request.images }, variable.title, value)
      const marked = { ...chosen, sweep: { ...chosen.sweep, [variable.id]: String(value) } }
      return {
        prompt: row,
        value: at,
        toQueue: { promptIndex, prompt: text, negativePrompt, chosen: marked, settings, seed: first },
      }
    })
  })
  return { design, jobs: variable.of === 'checkpoints' ? byValue(jobs) : jobs }
}

/** Loading a checkpoint takes longer than an image. */
const byValue = (jobs: readonly PlannedJob[]): PlannedJob[] => jobs.toSorted((a, b) => a.value - b.value)

function checkRecipe(recipe: object, title: string, value: Value): void {
  const { error } = recipeSchema.safeParse({ version: 1, ...recipe })
  const issue = error?.issues[0]
  if (issue === undefined) return
  const where = issue.path.join('.')
  const hint = where === 'refiner.checkpoint' ? ' Choose a refiner in the recipe first.' : ''
  throw new AppError(
    'bad_request',
    `${title} can't be ${JSON.stringify(value)} (${where}: ${z.prettifyError(error!).split('\n')[0]}).${hint}`,
  )
}
