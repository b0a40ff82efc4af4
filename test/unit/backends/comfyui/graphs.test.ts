import { describe, expect, test } from 'vitest'
import { samplerNodes } from '../../../../src-sidecar/backends/comfyui/graph.ts'
import { img2imgGraph, txt2imgGraph, upscaleGraph } from '../../../../src-sidecar/backends/comfyui/graphs.ts'
import { fileNamed, loraTags } from '../../../../src-sidecar/backends/comfyui/lora-tags.ts'
import { comfyuiSampling } from '../../../../src-sidecar/backends/comfyui/sampler-names.ts'
import { type ComfyGraph, invalidNodes } from '../../../helpers/comfyui/comfyui-graph.ts'
import { ask, comfyui, messageOf } from './comfyui-fixture.ts'

const sampling = {
  checkpoint: 'm.safetensors',
  prompt: 'a cat',
  negativePrompt: 'dog',
  sampler: 'euler',
  scheduler: 'normal',
  steps: 20,
  cfgScale: 7,
  seed: 3,
}
const classes = (graph: object) => Object.values(graph as ComfyGraph).map(({ class_type }) => class_type)
const valid = (graph: object) => invalidNodes(graph as ComfyGraph, { checkpoints: ['m.safetensors'], loras: ['a.safetensors'] })

describe('the graph of', () => {
  test('txt2img is the minimal one', () => {
    const graph = txt2imgGraph({ ...sampling, width: 64, height: 32 })
    expect(graph).toEqual({
      1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'm.safetensors' } },
      2: { class_type: 'CLIPTextEncode', inputs: { text: 'a cat', clip: ['1', 1] } },
      3: { class_type: 'CLIPTextEncode', inputs: { text: 'dog', clip: ['1', 1] } },
      4: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 32, batch_size: 1 } },
      5: {
        class_type: 'KSampler',
        inputs: {
          model: ['1', 0],
          seed: 3,
          steps: 20,
          cfg: 7,
          sampler_name: 'euler',
          scheduler: 'normal',
          positive: ['2', 0],
          negative: ['3', 0],
          latent_image: ['4', 0],
          denoise: 1,
        },
      },
      6: { class_type: 'VAEDecode', inputs: { samples: ['5', 0], vae: ['1', 2] } },
      7: { class_type: 'PreviewImage', inputs: { images: ['6', 0] } },
    })
    expect(samplerNodes(graph)).toEqual(['5'])
  })

  test('two LoRAs chains them between checkpoint, text and sampler', () => {
    const loras = [
      { file: 'a.safetensors', weight: 0.5, clipWeight: 0.25 },
      { file: 'a.safetensors', weight: 1, clipWeight: 1 },
    ]
    const graph = txt2imgGraph({ ...sampling, loras, width: 64, height: 64 })
    expect(valid(graph)).toBe(null)
    expect(graph['2']!.inputs).toEqual({
      model: ['1', 0],
      clip: ['1', 1],
      lora_name: 'a.safetensors',
      strength_model: 0.5,
      strength_clip: 0.25,
    })
    expect(graph['3']!.inputs).toMatchObject({ model: ['2', 0], clip: ['2', 1] })
    expect(graph['4']!.inputs.clip).toEqual(['3', 1])
    expect(Object.values(graph).find(({ class_type }) => class_type === 'KSampler')!.inputs.model).toEqual(['3', 0])
  })

  test('img2img begins with the picture, at its own size or another', () => {
    const own = img2imgGraph({ ...sampling, image: 'x.png', denoisingStrength: 0.4 })
    expect(valid(own)).toBe(null)
    expect(classes(own)).not.toContain('ImageScale')
    expect(classes(own)).not.toContain('EmptyLatentImage')
    const other = img2imgGraph({ ...sampling, image: 'x.png', denoisingStrength: 0.4, size: { width: 96, height: 64 } })
    expect(valid(other)).toBe(null)
    expect(Object.values(other)).toContainEqual(
      expect.objectContaining({ class_type: 'ImageScale', inputs: expect.objectContaining({ width: 96, height: 64 }) }),
    )
    expect(Object.values(other)).toContainEqual(
      expect.objectContaining({ class_type: 'KSampler', inputs: expect.objectContaining({ denoise: 0.4 }) }),
    )
  })

  test.each([
    ['latents', { latent: 'bislerp' }, 'LatentUpscale'],
    ['a model', { model: 'x4.pth' }, 'ImageUpscaleWithModel'],
  ] as const)('hires by %s samples twice', (_, upscaler, node) => {
    const hires = { width: 128, height: 128, upscaler, steps: 8, denoisingStrength: 0.5 }
    const graph = txt2imgGraph({ ...sampling, width: 64, height: 64 }, hires)
    expect(valid(graph)).toBe(null)
    expect(classes(graph)).toContain(node)
    const samplers = samplerNodes(graph).map((id) => graph[id]!.inputs)
    expect(samplers).toMatchObject([
      { steps: 20, denoise: 1, seed: 3 },
      { steps: 8, denoise: 0.5, seed: 3 },
    ])
  })

  test('upscaling needs no checkpoint', () => {
    const graph = upscaleGraph({ image: 'x.png', model: 'x4.pth', size: { width: 100, height: 100 } })
    expect(valid(graph)).toBe(null)
    expect(classes(graph)).toEqual(['LoadImage', 'UpscaleModelLoader', 'ImageUpscaleWithModel', 'ImageScale', 'PreviewImage'])
  })
})

describe("A1's names", () => {
  test.each([
    ['Euler a', 'Automatic', 'euler_ancestral', 'normal'],
    ['DPM++ 2M', 'Automatic', 'dpmpp_2m', 'karras'],
    ['DPM++ 2M', 'SGM Uniform', 'dpmpp_2m', 'sgm_uniform'],
    ['DPM++ 2M Karras', 'Automatic', 'dpmpp_2m', 'karras'],
    ['DPM++ 3M SDE Exponential', 'Automatic', 'dpmpp_3m_sde', 'exponential'],
    ['DDIM', 'Automatic', 'ddim', 'ddim_uniform'],
    ['UniPC', 'Simple', 'uni_pc', 'simple'],
    ['res_multistep', 'linear_quadratic', 'res_multistep', 'linear_quadratic'],
  ])('%s with %s', (name, scheduler, sampler, wanted) => {
    expect(comfyuiSampling(name, scheduler)).toEqual({ sampler, scheduler: wanted })
  })

  test('without a counterpart are refused', () => {
    expect(() => comfyuiSampling('Restart', 'Automatic')).toThrow(/no sampler like A1's Restart/)
    expect(() => comfyuiSampling('Euler', 'Align Your Steps')).toThrow(/no scheduler like A1's Align Your Steps/)
  })
})

describe('LoRA tags', () => {
  test('are taken out of the text, with their weights', () => {
    expect(loraTags('<lora:Ink:0.8>, a cat, <lora:film> on a mat <LORA:x:0.5:0.2>')).toEqual({
      text: 'a cat, on a mat',
      loras: [
        { name: 'Ink', weight: 0.8, clipWeight: 0.8 },
        { name: 'film', weight: 1, clipWeight: 1 },
        { name: 'x', weight: 0.2, clipWeight: 0.5 },
      ],
    })
    expect(loraTags('<lora:x:te=0.3:unet=-1> a').loras).toEqual([{ name: 'x', weight: -1, clipWeight: 0.3 }])
    expect(loraTags('<lora:x:much>').loras).toEqual([{ name: 'x', weight: 1, clipWeight: 1 }])
    expect(loraTags('a , , cat').text).toBe('a , , cat')
  })

  test('find their file with or without folder and extension', () => {
    const files = ['styles/Ink.safetensors', 'other/film.safetensors', 'film.safetensors', 'v1.5.safetensors']
    expect(fileNamed('ink', files)).toBe('styles/Ink.safetensors')
    expect(fileNamed('film', files)).toBe('film.safetensors')
    expect(fileNamed('v1.5', files)).toBe('v1.5.safetensors')
    expect(fileNamed('none', files)).toBe(null)
  })

  test('load what ComfyUI has; the text of the image keeps them', async () => {
    const { server, client } = await comfyui()
    const result = await ask(client, { prompt: 'a cat <lora:ink:0.7>' }).result
    expect(result.outcome === 'done' && result.image.parameters).toMatch(/^a cat <lora:ink:0\.7>\n/)
    const { prompt } = server.heard.find(({ line }) => line === 'POST /prompt')!.body as { prompt: ComfyGraph }
    expect(prompt['2']).toMatchObject({ class_type: 'LoraLoader', inputs: { lora_name: 'styles/Ink.safetensors' } })
    expect(prompt['3']!.inputs.text).toBe('a cat')
    expect(messageOf(await ask(client, { prompt: '<lora:nowhere:1> a cat' }).result)).toMatch(
      /no LoRA "nowhere".*models\/loras.*styles\/Ink\.safetensors/,
    )
  })
})
