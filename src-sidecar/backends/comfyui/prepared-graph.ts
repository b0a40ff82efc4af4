import type { ComfyuiSettings } from '../../contract/settings.ts'
import { AppError } from '../../errors/app-error.ts'
import type { GenerateRequest } from '../backend.ts'
import type { InfotextRecipe } from '../infotext.ts'
import type { ComfyuiModels } from './comfyui-models.ts'
import type { Graph } from './graph.ts'
import { type Lora, txt2imgGraph } from './graphs.ts'
import { fileNamed, loraTags } from './lora-tags.ts'
import { comfyuiSampling } from './sampler-names.ts'

/** What is posted, and what it really uses. */
export interface PreparedGraph {
  readonly graph: Graph
  readonly used: { readonly seed: number; readonly checkpoint: string }
  readonly text: InfotextRecipe
}

/** The graph for one image. @throws AppError `backend_rejected` where something is missing, saying what; else as `ServerHttp`. */
export async function preparedGraph(
  settings: ComfyuiSettings,
  { recipe, seed }: GenerateRequest,
  models: ComfyuiModels,
  signal: AbortSignal,
): Promise<PreparedGraph> {
  const sampling = comfyuiSampling(recipe.samplerName, recipe.scheduler)
  const checkpoint = await chosenCheckpoint(settings.checkpoint, models, signal)
  const positive = loraTags(recipe.prompt)
  const loras = positive.loras.length === 0 ? [] : await foundLoras(positive.loras, await models.loras(signal))
  const graph = txt2imgGraph({
    checkpoint,
    prompt: positive.text,
    // A1 takes no LoRA from a negative prompt, and leaves none in it.
    negativePrompt: loraTags(recipe.negativePrompt).text,
    loras,
    ...sampling,
    steps: recipe.steps,
    cfgScale: recipe.cfgScale,
    seed,
    width: recipe.width,
    height: recipe.height,
  })
  return { graph, used: { seed, checkpoint }, text: recipe }
}

async function chosenCheckpoint(wanted: string, models: ComfyuiModels, signal: AbortSignal): Promise<string> {
  const files = await models.checkpoints(signal)
  if (files.length === 0)
    throw new AppError('backend_rejected', 'ComfyUI has no checkpoint. Put one into its folder models/checkpoints, then retry.')
  if (wanted === '') return files[0]!
  const file = fileNamed(wanted, files)
  if (file === null) throw missing('checkpoint', wanted, files, 'Choose another in the settings')
  return file
}

async function foundLoras(tags: ReturnType<typeof loraTags>['loras'], files: readonly string[]): Promise<Lora[]> {
  return tags.map(({ name, weight, clipWeight }) => {
    const file = fileNamed(name, files)
    if (file === null) throw missing('LoRA', name, files, 'Correct the tag in the prompt, or put the file into models/loras')
    return { file, weight, clipWeight }
  })
}

function missing(what: string, name: string, files: readonly string[], advice: string): AppError {
  const known = files.length === 0 ? 'It has none' : `It has ${files.slice(0, 5).join(', ')}${files.length > 5 ? ', …' : ''}`
  return new AppError('backend_rejected', `ComfyUI has no ${what} "${name}". ${advice}. ${known}.`)
}
