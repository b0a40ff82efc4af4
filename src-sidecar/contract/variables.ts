import { adetailerSchema, hiresSchema, type Recipe, type RecipeDefaults, type Stage } from './recipe.ts'

/** A value of what an experiment varies, or of what ratings are compared by. */
export type Value = string | number

/** The part of a recipe that a variable may be in. */
export type VaryingRecipe = RecipeDefaults & Pick<Recipe, 'prompt'>

export const variableStages = ['txt2img', 'hires', 'refiner', 'adetailer', 'img2img', 'upscale'] as const
export type VariableStage = (typeof variableStages)[number]

/** One thing of a recipe that an experiment can vary and a recommendation can be about. */
export interface Variable {
  /** Its path in the recipe; `lora:<name>` is the strength of that LoRA in the prompt. */
  readonly id: string
  readonly stage: VariableStage
  readonly title: string
  /** Names come from what the backends list. */
  readonly of: 'number' | 'checkpoints' | 'vaes' | 'samplers' | 'schedulers' | 'upscalers' | 'text'
  /** Undefined where the recipe has no such thing. */
  readonly read: (recipe: VaryingRecipe) => Value | undefined
  /** Switches on what it belongs to; what comes out is still to be checked against the schema of a recipe. */
  readonly write: (recipe: VaryingRecipe, value: Value) => VaryingRecipe
}

type Key<T> = keyof T & string

const plain = (id: Key<RecipeDefaults>, title: string, of: Variable['of']): Variable => ({
  id,
  stage: 'txt2img',
  title,
  of,
  read: (recipe) => recipe[id] as Value | undefined,
  write: (recipe, value) => ({ ...recipe, [id]: value }),
})

const ofHires = (key: Key<NonNullable<Recipe['hires']>>, title: string, of: Variable['of']): Variable => ({
  id: `hires.${key}`,
  stage: 'hires',
  title,
  of,
  read: ({ hires }) => hires?.[key],
  write: (recipe, value) => ({ ...recipe, hires: { ...(recipe.hires ?? hiresSchema.parse({})), [key]: value } }),
})

const ofRefiner = (key: Key<NonNullable<Recipe['refiner']>>, title: string, of: Variable['of']): Variable => ({
  id: `refiner.${key}`,
  stage: 'refiner',
  title,
  of,
  read: ({ refiner }) => refiner?.[key],
  write: (recipe, value) => ({ ...recipe, refiner: { ...(recipe.refiner ?? { checkpoint: '', switchAt: 0.8 }), [key]: value } }),
})

/** Of its first pass. */
const ofAdetailer = (key: 'model' | 'confidence' | 'denoisingStrength', title: string, of: Variable['of']): Variable => ({
  id: `adetailer.${key}`,
  stage: 'adetailer',
  title,
  of,
  read: ({ adetailer }) => adetailer?.[0]?.[key],
  write: (recipe, value) => {
    const [first, ...more] = recipe.adetailer ?? []
    return {
      ...recipe,
      adetailer: [{ ...(first ?? adetailerSchema.parse({ model: 'face_yolov8n.pt' })), [key]: value }, ...more],
    }
  },
})

type StageOf<As extends Stage['as']> = Extract<Stage, { as: As }>

/** Of the first stage of this kind; a recipe without one gets it at the end. */
const ofStage = <As extends 'img2img' | 'upscale'>(
  as: As,
  key: Exclude<Key<StageOf<As>>, 'as' | 'keepInput'>,
  title: string,
  of: Variable['of'],
): Variable => {
  const find = ({ stages }: VaryingRecipe) => stages?.find((stage): stage is StageOf<As> => stage.as === as)
  return {
    id: `stages.${as}.${key}`,
    stage: as,
    title,
    of,
    read: (recipe) => find(recipe)?.[key] as Value | undefined,
    write: (recipe, value) => {
      const found = find(recipe)
      const changed = { ...(found ?? newStages[as]), [key]: value } as Stage
      const { stages = [] } = recipe
      return { ...recipe, stages: found ? stages.map((one) => (one === found ? changed : one)) : [...stages, changed] }
    },
  }
}

const newStages = {
  img2img: { as: 'img2img', denoisingStrength: 0.5, keepInput: false },
  upscale: { as: 'upscale', upscaler: 'Lanczos', scale: 2, keepInput: false },
} as const

const loraPrefix = 'lora:'
const loraTag = /<lora:([^:<>]+):(-?[\d.]+)([^<>]*)>/gi

/** How strong this LoRA is; a prompt without it gets it at the end. */
export const loraVariable = (name: string): Variable => ({
  id: loraPrefix + name,
  stage: 'txt2img',
  title: `LoRA ${name}`,
  of: 'number',
  read: ({ prompt }) => {
    const tag = [...prompt.matchAll(loraTag)].find(([, found]) => found === name)
    return tag && Number(tag[2])
  },
  write: (recipe, value) => {
    const { prompt } = recipe
    const changed = prompt.replace(loraTag, (tag, found, _, rest) => (found === name ? `<lora:${name}:${value}${rest}>` : tag))
    const has = loraVariable(name).read(recipe) !== undefined
    return { ...recipe, prompt: has ? changed : `${prompt} <lora:${name}:${value}>` }
  },
})

/** All but the LoRAs. */
export const variables: readonly Variable[] = [
  plain('cfgScale', 'CFG scale', 'number'),
  plain('steps', 'Steps', 'number'),
  plain('samplerName', 'Sampler', 'samplers'),
  plain('scheduler', 'Scheduler', 'schedulers'),
  plain('checkpoint', 'Checkpoint', 'checkpoints'),
  plain('vae', 'VAE', 'vaes'),
  plain('clipSkip', 'CLIP skip', 'number'),
  plain('width', 'Width', 'number'),
  plain('height', 'Height', 'number'),
  ofHires('denoisingStrength', 'Hires denoising strength', 'number'),
  ofHires('upscaler', 'Hires upscaler', 'upscalers'),
  ofHires('scale', 'Hires scale', 'number'),
  ofHires('steps', 'Hires steps', 'number'),
  ofRefiner('switchAt', 'Refiner switches at', 'number'),
  ofRefiner('checkpoint', 'Refiner checkpoint', 'checkpoints'),
  ofAdetailer('denoisingStrength', 'ADetailer denoising strength', 'number'),
  ofAdetailer('confidence', 'ADetailer confidence', 'number'),
  ofAdetailer('model', 'ADetailer model', 'text'),
  ofStage('img2img', 'denoisingStrength', 'img2img denoising strength', 'number'),
  ofStage('img2img', 'steps', 'img2img steps', 'number'),
  ofStage('img2img', 'cfgScale', 'img2img CFG scale', 'number'),
  ofStage('img2img', 'samplerName', 'img2img sampler', 'samplers'),
  ofStage('upscale', 'upscaler', 'Upscaler', 'upscalers'),
  ofStage('upscale', 'scale', 'Upscale by', 'number'),
]

/** Undefined where there is none of that id. */
export function findVariable(id: string): Variable | undefined {
  if (id.startsWith(loraPrefix) && id.length > loraPrefix.length) return loraVariable(id.slice(loraPrefix.length))
  return variables.find((one) => one.id === id)
}

/** Those that this recipe has: its settings, and each LoRA of its prompt. */
export const variablesOf = (recipe: VaryingRecipe): Variable[] => [
  ...variables.filter(({ read }) => read(recipe) !== undefined),
  ...[...new Set([...recipe.prompt.matchAll(loraTag)].map(([, name]) => name!))].map(loraVariable),
]
