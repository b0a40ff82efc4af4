import { describe, expect, test } from 'vitest'
import { txt2imgGraph } from '../../../../src-sidecar/backends/comfyui/graphs.ts'
import { settingsOfPromptGraph } from '../../../../src-sidecar/backends/comfyui/read-prompt-graph.ts'
import { a1Sampling, comfyuiSampling } from '../../../../src-sidecar/backends/comfyui/sampler-names.ts'

const options = {
  checkpoint: 'sd/dream.safetensors',
  vae: 'fine.pt',
  clipSkip: 2,
  prompt: 'a fox',
  negativePrompt: 'blurry',
  loras: [
    { file: 'style/ink.safetensors', weight: 0.8, clipWeight: 0.8 },
    { file: 'snow.safetensors', weight: 1, clipWeight: 0.5 },
  ],
  sampler: 'dpmpp_2m',
  scheduler: 'karras',
  steps: 25,
  cfgScale: 6,
  seed: 7,
  width: 768,
  height: 512,
}

test('the graph of a picture gives its settings, with the names of A1 and its tags for LoRAs', () => {
  expect(settingsOfPromptGraph(JSON.stringify(txt2imgGraph(options)))).toEqual({
    from: 'comfyui',
    prompt: 'a fox <lora:ink:0.8> <lora:snow:0.5:1>',
    negativePrompt: 'blurry',
    seed: 7,
    settings: {
      checkpoint: 'sd/dream.safetensors',
      vae: 'fine.pt',
      clipSkip: 2,
      samplerName: 'DPM++ 2M',
      scheduler: 'Automatic',
      steps: 25,
      cfgScale: 6,
      width: 768,
      height: 512,
    },
    ignored: [],
  })
})

test("Python's NaN does not keep it from being read", () => {
  const json = JSON.stringify(txt2imgGraph(options)).replace(
    '"class_type":"KSampler"',
    '"class_type":"KSampler","is_changed":[NaN]',
  )
  expect(settingsOfPromptGraph(json)?.seed).toBe(7)
})

test.each(['', 'a cat', '{}', '[]', '{"nodes": [], "links": []}', '{"1": {"class_type": "LoadImage", "inputs": {}}}'])(
  'what is no such graph is null: %j',
  (text) => {
    expect(settingsOfPromptGraph(text)).toBeNull()
  },
)

describe("A1's name for a sampler of ComfyUI", () => {
  test.each([
    ['euler', 'normal', 'Euler', 'Automatic'],
    ['euler', 'karras', 'Euler', 'Karras'],
    ['dpmpp_2m', 'normal', 'DPM++ 2M', 'Uniform'],
    ['res_multistep', 'beta57', 'res_multistep', 'beta57'],
    ['ddim', 'ddim_uniform', 'DDIM', 'Automatic'],
  ])('of %s and %s is %s, %s, and means the same', (sampler, scheduler, samplerName, a1Scheduler) => {
    const named = a1Sampling(sampler, scheduler)
    expect(named).toEqual({ samplerName, scheduler: a1Scheduler })
    expect(comfyuiSampling(named.samplerName, named.scheduler)).toEqual({ sampler, scheduler })
  })
})
