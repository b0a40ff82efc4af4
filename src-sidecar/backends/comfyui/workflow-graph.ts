import type { ComfyuiSettings } from '../../contract/settings.ts'
import {
  fullMapping,
  mappingProblem,
  readWorkflow,
  type WorkflowGraph,
  type WorkflowMapping,
  type WorkflowSettings,
} from '../../contract/workflow.ts'
import { AppError } from '../../errors/app-error.ts'
import type { GenerateRequest } from '../backend.ts'
import type { ComfyuiModels } from './comfyui-models.ts'
import type { Lora } from './graphs.ts'
import { loraTags } from './lora-tags.ts'
import { chosenCheckpoint, foundLoras } from './model-files.ts'
import type { PreparedGraph } from './prepared-graph.ts'
import { comfyuiSampling } from './sampler-names.ts'

/**
 * The user's own workflow with a recipe's values in their places. What has no place stays as the workflow has it, and is not
 * claimed in the infotext. @throws AppError `backend_rejected` where workflow or mapping can't be used, saying what to do.
 */
export async function workflowGraph(
  settings: ComfyuiSettings,
  { json, mapping: chosen }: WorkflowSettings,
  { recipe, seed }: GenerateRequest,
  models: ComfyuiModels,
  signal: AbortSignal,
): Promise<PreparedGraph> {
  const { graph, problem } = readWorkflow(json)
  if (problem !== null) throw new AppError('backend_rejected', problem)
  const mapping = fullMapping(graph, chosen)
  const wrong = mappingProblem(graph, mapping)
  if (wrong !== null) throw new AppError('backend_rejected', wrong)

  const { text, loras } = loraTags(recipe.prompt)
  const named = mapping.sampler || mapping.scheduler ? comfyuiSampling(recipe.samplerName, recipe.scheduler) : undefined
  const wanted = mapping.checkpoint && settings.checkpoint !== ''
  setInputs(graph, mapping, {
    prompt: text,
    negativePrompt: loraTags(recipe.negativePrompt).text,
    seed,
    width: recipe.width,
    height: recipe.height,
    steps: recipe.steps,
    cfgScale: recipe.cfgScale,
    sampler: named?.sampler,
    scheduler: named?.scheduler,
    checkpoint: wanted ? await chosenCheckpoint(settings.checkpoint, models, signal) : undefined,
  })
  addLoras(graph, mapping, await foundLoras(loras, models, signal))
  const { checkpoint, steps, sampler, scheduler, cfgScale, negativePrompt } = mapping
  return {
    graph,
    used: { seed, checkpoint: checkpoint ? String(graph[checkpoint.node]!.inputs[checkpoint.input]) : '' },
    text: {
      prompt: recipe.prompt,
      negativePrompt: negativePrompt ? recipe.negativePrompt : '',
      steps: steps ? recipe.steps : null,
      samplerName: sampler ? recipe.samplerName : null,
      scheduler: scheduler ? recipe.scheduler : null,
      cfgScale: cfgScale ? recipe.cfgScale : null,
    },
  }
}

function setInputs(graph: WorkflowGraph, mapping: WorkflowMapping, values: { [Role in keyof WorkflowMapping]: unknown }): void {
  for (const [role, value] of Object.entries(values) as [keyof WorkflowMapping, unknown][]) {
    const place = mapping[role]
    if (!place || value === undefined) continue
    const { inputs } = graph[place.node]!
    inputs[place.input] = value
    // SDXL's encoder takes the text twice.
    if (place.input === 'text_g' && typeof inputs.text_l === 'string') inputs.text_l = value
  }
}

/** Between the checkpoint and all that uses its model and its text encoder. */
function addLoras(graph: WorkflowGraph, { checkpoint }: WorkflowMapping, loras: readonly Lora[]): void {
  if (loras.length === 0) return
  if (checkpoint?.input !== 'ckpt_name')
    throw new AppError(
      'backend_rejected',
      'The prompt has LoRA tags, but the workflow loads no checkpoint to put them behind. Take the tags out of the prompt.',
    )
  const users = Object.values(graph)
  let last = checkpoint.node
  for (const { file, weight, clipWeight } of loras) {
    const id = `stablenew-lora-${Object.keys(graph).length}`
    graph[id] = {
      class_type: 'LoraLoader',
      inputs: { model: [last, 0], clip: [last, 1], lora_name: file, strength_model: weight, strength_clip: clipWeight },
    }
    last = id
  }
  for (const { inputs } of users)
    for (const [name, value] of Object.entries(inputs))
      if (Array.isArray(value) && value[0] === checkpoint.node && (value[1] === 0 || value[1] === 1))
        inputs[name] = [last, value[1]]
}
