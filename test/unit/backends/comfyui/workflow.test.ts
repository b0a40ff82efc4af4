import { describe, expect, test } from 'vitest'
import { txt2imgGraph } from '../../../../src-sidecar/backends/comfyui/graphs.ts'
import { foundMapping, mappingProblem, readWorkflow, type WorkflowMapping } from '../../../../src-sidecar/contract/workflow.ts'
import type { ComfyGraph } from '../../../helpers/comfyui/comfyui-graph.ts'
import { ask, comfyui, messageOf } from './comfyui-fixture.ts'

const usual = (): ComfyGraph => {
  const options = {
    checkpoint: 'sd15/model-b.ckpt',
    prompt: 'old',
    negativePrompt: 'old negative',
    sampler: 'euler',
    scheduler: 'normal',
    steps: 3,
    cfgScale: 5,
    seed: 1,
    width: 96,
    height: 80,
  }
  const graph = JSON.parse(JSON.stringify(txt2imgGraph(options))) as ComfyGraph
  graph['7']!.class_type = 'SaveImage'
  return graph
}

/** Flux as ComfyUI's own example has it: no KSampler, no negative prompt. */
const custom: ComfyGraph = {
  a: { class_type: 'UNETLoader', inputs: { unet_name: 'flux.safetensors' } },
  b: { class_type: 'CLIPTextEncode', inputs: { text: 'old', clip: ['c', 0] } },
  c: { class_type: 'DualCLIPLoader', inputs: { clip_name1: 'x' } },
  d: { class_type: 'FluxGuidance', inputs: { guidance: 3.5, conditioning: ['b', 0] } },
  e: { class_type: 'BasicGuider', inputs: { model: ['a', 0], conditioning: ['d', 0] } },
  f: { class_type: 'RandomNoise', inputs: { noise_seed: 5 } },
  g: { class_type: 'KSamplerSelect', inputs: { sampler_name: 'euler' } },
  h: { class_type: 'BasicScheduler', inputs: { scheduler: 'simple', steps: 20, denoise: 1, model: ['a', 0] } },
  i: { class_type: 'EmptySD3LatentImage', inputs: { width: 1024, height: 768, batch_size: 1 } },
  j: {
    class_type: 'SamplerCustomAdvanced',
    inputs: { noise: ['f', 0], guider: ['e', 0], sampler: ['g', 0], sigmas: ['h', 0], latent_image: ['i', 0] },
  },
}

const at = (node: string, input: string) => ({ node, input })

describe('the mapping of a workflow', () => {
  test('is found from the node that samples', () => {
    expect(foundMapping(usual())).toEqual({
      prompt: at('2', 'text'),
      negativePrompt: at('3', 'text'),
      seed: at('5', 'seed'),
      width: at('4', 'width'),
      height: at('4', 'height'),
      steps: at('5', 'steps'),
      cfgScale: at('5', 'cfg'),
      sampler: at('5', 'sampler_name'),
      scheduler: at('5', 'scheduler'),
      denoisingStrength: at('5', 'denoise'),
      checkpoint: at('1', 'ckpt_name'),
    })
  })

  test('is found where the parts of a sampler are nodes of their own', () => {
    expect(foundMapping(custom)).toEqual({
      prompt: at('b', 'text'),
      seed: at('f', 'noise_seed'),
      width: at('i', 'width'),
      height: at('i', 'height'),
      steps: at('h', 'steps'),
      sampler: at('g', 'sampler_name'),
      scheduler: at('h', 'scheduler'),
      denoisingStrength: at('h', 'denoise'),
      checkpoint: at('a', 'unet_name'),
    })
  })

  test('goes through a ControlNet without mixing up the prompts, and to a text that is a node of its own', () => {
    const graph = usual()
    graph.cn = {
      class_type: 'ControlNetApplyAdvanced',
      inputs: { positive: ['2', 0], negative: ['3', 0], strength: 1 },
    }
    graph.text = { class_type: 'PrimitiveString', inputs: { value: 'old' } }
    graph['2']!.inputs.text = ['text', 0]
    graph['5']!.inputs.positive = ['cn', 0]
    graph['5']!.inputs.negative = ['cn', 1]
    expect(foundMapping(graph)).toMatchObject({ prompt: at('text', 'value'), negativePrompt: at('3', 'text') })
  })

  test('begins with the first pass where there are two, and is empty where nothing samples', () => {
    const graph: ComfyGraph = {
      0: { class_type: 'KSampler', inputs: { seed: 9, positive: ['2', 0], latent_image: ['5', 0] } },
      ...usual(),
    }
    expect(foundMapping(graph)).toMatchObject({ seed: at('5', 'seed') })
    expect(foundMapping({ 1: { class_type: 'LoadImage', inputs: { image: 'x' } } })).toEqual({})
  })

  test.each<[string, WorkflowMapping, RegExp]>([
    ['a node that is not there', { seed: at('99', 'seed') }, /no node 99, mapped for the seed/],
    ['an input that is not there', { steps: at('5', 'step') }, /Node 5 \(KSampler\) has no input "step", mapped for the steps/],
    ['an input that another node feeds', { prompt: at('5', 'positive') }, /"positive" of node 5 comes from another node/],
    ['no place for the prompt', { prompt: null }, /no place for the prompt that could be found/],
  ])('with %s says what and where', (_, chosen, problem) => {
    const graph = usual()
    expect(mappingProblem(graph, { ...foundMapping(graph), ...chosen })).toMatch(problem)
  })
})

test.each([
  ['the format of the editor', '{"nodes": [], "links": []}', /Workflow → Export \(API\)/],
  ['no JSON', '{"1":', /no JSON/],
  ['something else', '{"1": {"type": "x"}}', /not in the API format/],
  ['nothing', '{}', /not in the API format/],
])('%s is told from a workflow', (_, json, problem) => {
  expect(readWorkflow(json).problem).toMatch(problem)
})

describe('an image by the own workflow', () => {
  const made = async (graph: object, mapping: WorkflowMapping = {}, prompt = 'new cat', checkpoint = '') => {
    const { server, client } = await comfyui({}, { settings: { checkpoint, workflow: { json: JSON.stringify(graph), mapping } } })
    const result = await ask(client, { prompt, negativePrompt: 'dog', steps: 5, width: 128, height: 64 }, 77).result
    const posted = server.heard.find(({ line }) => line === 'POST /prompt')?.body as { prompt: ComfyGraph } | undefined
    return { result, posted: posted?.prompt }
  }

  test('has the values of the recipe in their places, and the rest as it was', async () => {
    const { result, posted } = await made(usual())
    expect(result).toMatchObject({
      outcome: 'done',
      image: { seed: 77, width: 128, height: 64, checkpoint: 'sd15/model-b.ckpt' },
    })
    expect(posted!['5']!.inputs).toMatchObject({ seed: 77, steps: 5, cfg: 7, sampler_name: 'euler_ancestral', denoise: 1 })
    expect([posted!['2']!.inputs.text, posted!['3']!.inputs.text]).toEqual(['new cat', 'dog'])
    expect(posted!['7']!.class_type).toBe('SaveImage')
  })

  test('claims nothing of what stayed as the workflow has it', async () => {
    const { result, posted } = await made(usual(), {
      steps: null,
      sampler: null,
      scheduler: null,
      width: null,
      negativePrompt: null,
    })
    expect(posted!['5']!.inputs).toMatchObject({ steps: 3, sampler_name: 'euler' })
    expect(result.outcome === 'done' && result.image.parameters).toBe(
      'new cat\nCFG scale: 7, Seed: 77, Size: 96x64, Model: model-b, Version: StableNew',
    )
  })

  test('takes the checkpoint of the settings, and LoRA tags between it and its users', async () => {
    const { posted } = await made(usual(), {}, 'new <lora:ink:0.5> cat', 'anything')
    expect(posted!['1']!.inputs.ckpt_name).toBe('anything.safetensors')
    const [lora] = Object.entries(posted!).find(([, { class_type }]) => class_type === 'LoraLoader')!
    expect(posted![lora]!.inputs).toMatchObject({ model: ['1', 0], clip: ['1', 1], strength_model: 0.5 })
    expect([posted!['5']!.inputs.model, posted!['2']!.inputs.clip]).toEqual([
      [lora, 0],
      [lora, 1],
    ])
    expect(posted!['6']!.inputs.vae).toEqual(['1', 2])
  })

  test('may come over the WebSocket', async () => {
    const graph = usual()
    graph['7']!.class_type = 'SaveImageWebsocket'
    expect((await made(graph)).result).toMatchObject({ outcome: 'done', image: { width: 128, height: 64 } })
  })

  test('fails with a sentence where the workflow can not be used', async () => {
    expect(messageOf((await made({ nodes: [], links: [] })).result)).toMatch(/Export \(API\)/)
    expect(messageOf((await made(usual(), { seed: at('99', 'seed') })).result)).toMatch(/no node 99/)
    const graph = usual()
    delete graph['7']
    expect(messageOf((await made(graph)).result)).toMatch(/Prompt has no outputs/)
  })
})
