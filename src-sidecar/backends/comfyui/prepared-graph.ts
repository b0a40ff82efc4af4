import { basename } from 'node:path'
import type { Source } from '../../contract/recipe.ts'
import type { ComfyuiSettings } from '../../contract/settings.ts'
import { AppError } from '../../errors/app-error.ts'
import type { GenerateRequest } from '../backend.ts'
import { decodedPicture } from '../decoded-picture.ts'
import type { InfotextRecipe } from '../infotext.ts'
import { sourcePicture } from '../source-picture.ts'
import type { ComfyuiModels } from './comfyui-models.ts'
import type { Graph } from './graph.ts'
import { img2imgGraph, txt2imgGraph, upscaleGraph } from './graphs.ts'
import { hiresOptions, pixelUpscaler } from './hires-options.ts'
import { loraTags } from './lora-tags.ts'
import { chosenCheckpoint, chosenVae, foundLoras } from './model-files.ts'
import { comfyuiSampling } from './sampler-names.ts'
import { workflowGraph } from './workflow-graph.ts'

/** What is posted, and what it really uses. */
export interface PreparedGraph {
  readonly graph: Graph
  readonly used: { readonly seed: number; readonly checkpoint: string }
  readonly text: InfotextRecipe
}

/** The graph for one image. @throws AppError `backend_rejected` where something is missing, saying what; else as `ServerHttp`. */
export async function preparedGraph(
  settings: ComfyuiSettings,
  request: GenerateRequest,
  models: ComfyuiModels,
  signal: AbortSignal,
  upload: (picture: Buffer<ArrayBuffer>, name: string) => Promise<string>,
): Promise<PreparedGraph> {
  const { recipe, seed } = request
  const { source } = recipe
  if (source?.as === 'adetailer')
    throw new AppError('backend_rejected', 'ComfyUI has no ADetailer. Take the stage out, or keep the job for a WebUI.')
  if (source?.as === 'upscale') return await upscaling(request, source, models, signal, upload)
  if (settings.workflow !== null && source === undefined)
    return await workflowGraph(settings, settings.workflow, request, models, signal)
  const sampling = comfyuiSampling(recipe.samplerName, recipe.scheduler)
  const checkpoint = await chosenCheckpoint(recipe.checkpoint || settings.checkpoint, models, signal)
  const positive = loraTags(recipe.prompt)
  const loras = await foundLoras(positive.loras, models, signal)
  const vae = recipe.vae && (await chosenVae(recipe.vae, models, signal))
  const refiner = recipe.refiner
    ? { ...recipe.refiner, checkpoint: await chosenCheckpoint(recipe.refiner.checkpoint, models, signal) }
    : undefined
  const hires = recipe.hires ? await hiresOptions(recipe, recipe.hires, models, signal) : undefined
  const options = {
    checkpoint,
    ...(vae && { vae }),
    ...(recipe.clipSkip && { clipSkip: recipe.clipSkip }),
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
    ...(refiner && { refiner }),
  }
  const graph =
    source === undefined
      ? txt2imgGraph(options, hires)
      : img2imgGraph({
          ...options,
          image: await upload(await sourcePicture(source, request), basename(source.path)),
          denoisingStrength: source.denoisingStrength,
          size: { width: recipe.width, height: recipe.height },
        })
  // What it can't do is not claimed.
  return { graph, used: { seed, checkpoint }, text: { ...recipe, adetailer: [], ...(source && { refiner: null }) } }
}

async function upscaling(
  request: GenerateRequest,
  source: Extract<Source, { as: 'upscale' }>,
  models: ComfyuiModels,
  signal: AbortSignal,
  upload: (picture: Buffer<ArrayBuffer>, name: string) => Promise<string>,
): Promise<PreparedGraph> {
  const { recipe } = request
  const { path, upscaler, scale } = source
  const picture = await sourcePicture(source, request)
  const { width, height } = await decodedPicture(picture)
  const graph = upscaleGraph({
    image: await upload(picture, basename(path)),
    model: await pixelUpscaler(upscaler, models, signal),
    size: { width: Math.round(width * scale), height: Math.round(height * scale) },
  })
  return { graph, used: { seed: recipe.seed, checkpoint: '' }, text: recipe }
}
