import { z } from 'zod'

/** What StableNew sets in a workflow of the user's. */
// biome-ignore format: a list
export const workflowRoles = [
  'prompt', 'negativePrompt', 'seed', 'width', 'height', 'steps', 'cfgScale', 'sampler', 'scheduler', 'denoisingStrength', 'checkpoint',
] as const
export type WorkflowRole = (typeof workflowRoles)[number]

export const inputPlaceSchema = z.object({ node: z.string().max(200), input: z.string().max(200) })
export type InputPlace = z.infer<typeof inputPlaceSchema>

/** Absent: found by itself. Null: stays as the workflow has it. */
export const workflowMappingSchema = z.partialRecord(z.enum(workflowRoles), inputPlaceSchema.nullable())
export type WorkflowMapping = z.infer<typeof workflowMappingSchema>

export const workflowSettingsSchema = z.object({
  /** In ComfyUI's API format; the whole request must be below the 2 MB that the API takes. */
  json: z.string().max(500_000),
  mapping: workflowMappingSchema.default({}),
})
export type WorkflowSettings = z.infer<typeof workflowSettingsSchema>

const nodeSchema = z.object({ class_type: z.string(), inputs: z.record(z.string(), z.unknown()) })
/** Nodes by id. Whatever else a node holds (`_meta`) goes along. */
export type WorkflowGraph = Record<string, z.infer<typeof nodeSchema>>

export type ReadWorkflow =
  | { readonly graph: WorkflowGraph; readonly problem: null }
  | { readonly graph: null; readonly problem: string }

/** Reads a workflow in API format; else the problem says what it is and what to do. */
export function readWorkflow(json: string): ReadWorkflow {
  const failed = (problem: string): ReadWorkflow => ({ graph: null, problem })
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    return failed(`The workflow is no JSON: ${(error as Error).message}`)
  }
  if (typeof value === 'object' && value !== null && 'nodes' in value && 'links' in value)
    return failed(
      "The workflow is in the format of ComfyUI's editor. In ComfyUI choose Workflow → Export (API); older versions: turn on the dev mode in its settings, then Save (API Format).",
    )
  const graph = z.record(z.string(), z.looseObject(nodeSchema.shape)).safeParse(value)
  if (!graph.success || Object.keys(graph.data).length === 0)
    return failed('The workflow is not in the API format of ComfyUI: an object of nodes, each with class_type and inputs.')
  return { graph: graph.data, problem: null }
}

const isLink = (value: unknown): value is [string, number] =>
  Array.isArray(value) && value.length === 2 && typeof value[1] === 'number' && ['string', 'number'].includes(typeof value[0])

/** Where each role stands, as far as it can be told by walking up from the node that samples. */
export function foundMapping(graph: WorkflowGraph): WorkflowMapping {
  const sampler = firstSampler(graph)
  if (sampler === undefined) return {}
  const { inputs } = graph[sampler]!
  const above = (names: readonly string[], type: string) => search(graph, [[sampler, 0]], names, type)
  const guider = isLink(inputs.guider) ? (graph[inputs.guider[0]]?.inputs ?? {}) : {}
  const text = (link: unknown) => (isLink(link) ? search(graph, [link], textInputs, 'string', true) : undefined)
  const latent = isLink(inputs.latent_image) ? [inputs.latent_image] : []
  const found = {
    prompt: text(inputs.positive ?? guider.positive ?? guider.conditioning),
    negativePrompt: text(inputs.negative ?? guider.negative),
    seed: above(['seed', 'noise_seed'], 'number'),
    width: search(graph, latent, ['width'], 'number'),
    height: search(graph, latent, ['height'], 'number'),
    steps: above(['steps'], 'number'),
    cfgScale: above(['cfg'], 'number'),
    sampler: above(['sampler_name'], 'string'),
    scheduler: above(['scheduler'], 'string'),
    denoisingStrength: above(['denoise'], 'number'),
    checkpoint: above(['ckpt_name', 'unet_name'], 'string'),
  }
  // A workflow with one text for both would get the negative prompt in place of the prompt.
  if (JSON.stringify(found.negativePrompt) === JSON.stringify(found.prompt)) found.negativePrompt = undefined
  return Object.fromEntries(Object.entries(found).filter(([, place]) => place !== undefined))
}

const textInputs = ['text', 'text_g', 't5xxl', 'prompt', 'string', 'value']

/** The one that begins with an empty latent; else the first. */
function firstSampler(graph: WorkflowGraph): string | undefined {
  const samplers = Object.keys(graph).filter((id) => {
    const { inputs } = graph[id]!
    return isLink(inputs.latent_image) && (isLink(inputs.positive) || isLink(inputs.guider))
  })
  return (
    samplers.find((id) => /Empty.*Latent/i.test(graph[(graph[id]!.inputs.latent_image as [string])[0]]?.class_type ?? '')) ??
    samplers[0]
  )
}

/** The nearest plain value under one of the names, against the direction of the links; `conditioning` follows one of two. */
function search(
  graph: WorkflowGraph,
  from: readonly (readonly [string, number])[],
  names: readonly string[],
  type: string,
  conditioning = false,
): InputPlace | undefined {
  const seen = new Set<string>()
  for (const waiting = [...from]; waiting.length > 0; ) {
    const [id, slot] = waiting.shift()!
    const node = graph[id]
    if (node === undefined || seen.has(id)) continue
    seen.add(id)
    const input = names.find((name) => typeof node.inputs[name] === type)
    if (input !== undefined) return { node: String(id), input }
    const { positive, negative } = node.inputs
    // What both go through (ControlNet) gives them out in this order.
    const both = conditioning && isLink(positive) && isLink(negative)
    const next = both ? [slot === 1 ? negative : positive] : Object.values(node.inputs)
    for (const link of next) if (isLink(link)) waiting.push(link)
  }
  return undefined
}

/** The mapping in force: what the user set, else what was found. */
export const fullMapping = (graph: WorkflowGraph, chosen: WorkflowMapping): WorkflowMapping => ({
  ...foundMapping(graph),
  ...chosen,
})

const roleNames: Record<WorkflowRole, string> = {
  prompt: 'prompt',
  negativePrompt: 'negative prompt',
  seed: 'seed',
  width: 'width',
  height: 'height',
  steps: 'steps',
  cfgScale: 'CFG scale',
  sampler: 'sampler',
  scheduler: 'scheduler',
  denoisingStrength: 'denoising strength',
  checkpoint: 'checkpoint',
}
export const workflowRoleName = (role: WorkflowRole): string => roleNames[role]

/** What is wrong with the mapping, as a sentence; null where it can be used. */
export function mappingProblem(graph: WorkflowGraph, mapping: WorkflowMapping): string | null {
  for (const role of ['prompt', 'seed'] as const)
    if (!mapping[role])
      return `The workflow has no place for the ${roleNames[role]} that could be found. Choose it in the settings.`
  for (const role of workflowRoles) {
    const place = mapping[role]
    if (!place) continue
    const node = graph[place.node]
    const what = `mapped for the ${roleNames[role]}. Choose another place in the settings.`
    if (node === undefined) return `The workflow has no node ${place.node}, ${what}`
    const where = `Node ${place.node} (${node.class_type})`
    if (!(place.input in node.inputs)) return `${where} has no input "${place.input}", ${what}`
    if (isLink(node.inputs[place.input]))
      return `The input "${place.input}" of node ${place.node} comes from another node; it is ${what}`
  }
  return null
}
