import type { PictureSettings } from '../../contract/picture-settings.ts'
import { recipeSchema } from '../../contract/recipe.ts'
import { foundMapping, readWorkflow, type WorkflowGraph } from '../../contract/workflow.ts'
import { valid } from '../read-infotext.ts'
import { a1Sampling } from './sampler-names.ts'

/**
 * What a recipe can hold of the graph that ComfyUI writes into its pictures (`prompt`, in API format), as far as it can be told
 * from the node that samples first; null where it is none. Sampler and scheduler get A1's names. Never throws.
 */
export function settingsOfPromptGraph(json: string): PictureSettings | null {
  // Python writes NaN for what has changed, which is no JSON.
  const { graph } = readWorkflow(json.replace(/([[:,]\s*)NaN(?=\s*[\],}])/g, '$1null'))
  if (graph === null) return null
  const mapping = foundMapping(graph)
  const { prompt, negativePrompt, seed, sampler, scheduler, denoisingStrength: _, ...rest } = mapping
  if (prompt === undefined && seed === undefined) return null
  const at = (place: typeof prompt) => place && graph[place.node]?.inputs[place.input]
  const plain = Object.fromEntries(Object.entries(rest).map(([role, place]) => [role, at(place ?? undefined)]))
  const named = sampler ? a1Sampling(String(at(sampler)), String(at(scheduler ?? undefined) ?? 'normal')) : {}
  const readSeed = recipeSchema.shape.seed.safeParse(at(seed ?? undefined))
  const tags = loras(graph)
  return {
    from: 'comfyui',
    prompt: [String(at(prompt ?? undefined) ?? ''), ...tags].filter(Boolean).join(' '),
    negativePrompt: String(at(negativePrompt ?? undefined) ?? ''),
    ...(readSeed.success && { seed: readSeed.data }),
    settings: valid({ ...plain, ...named, ...further(graph) }),
    ignored: [],
  }
}

const nodesOf = (graph: WorkflowGraph, type: string) =>
  Object.values(graph).flatMap(({ class_type, inputs }) => (class_type === type ? [inputs] : []))

function further(graph: WorkflowGraph): { vae?: unknown; clipSkip?: unknown } {
  const [vae, layer] = [nodesOf(graph, 'VAELoader')[0]?.vae_name, nodesOf(graph, 'CLIPSetLastLayer')[0]?.stop_at_clip_layer]
  return { ...(vae !== undefined && { vae }), ...(typeof layer === 'number' && { clipSkip: -layer }) }
}

/** As A1's tags. */
const loras = (graph: WorkflowGraph): string[] =>
  nodesOf(graph, 'LoraLoader').flatMap(({ lora_name, strength_model, strength_clip = strength_model }) => {
    if (typeof lora_name !== 'string' || typeof strength_model !== 'number') return []
    const name = lora_name.replace(/^.*[\\/]/, '').replace(/\.(safetensors|ckpt|pt)$/i, '')
    return [`<lora:${name}:${strength_clip === strength_model ? strength_model : `${strength_clip}:${strength_model}`}>`]
  })
