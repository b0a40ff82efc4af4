import { describe, expect, test } from 'vitest'
import { describePack } from '../../../src-sidecar/packs/describe-pack.ts'
import { parseFiles } from '../../../src-sidecar/packs/load-pack.ts'
import { ownSettings, unusedSettings } from '../../../src-sidecar/packs/own-settings.ts'
import { packJobs } from '../../../src-sidecar/packs/pack-jobs.ts'

/** As StableNew has written it. */
const preset = {
  txt2img: { steps: 30, seed: 7, sampler_name: 'Euler a' },
  img2img: {
    steps: 12,
    denoising_strength: 0.3000000000004,
    sampler_name: 'DPM++ 2M',
    cfg_scale: 6,
    prompt_adjust: 'sharp',
    seed: -1,
  },
  adetailer: {
    adetailer_model: 'hand_yolov8n.pt',
    adetailer_confidence: 0.35,
    adetailer_denoise: 0.25,
    adetailer_prompt: 'a hand',
  },
  upscale: { upscaler: 'R-ESRGAN 4x+', upscaling_resize: 2.0, upscale_mode: 'single', gfpgan_visibility: 0, tile_size: 512 },
  pipeline: {
    txt2img_enabled: true,
    img2img_enabled: true,
    adetailer_enabled: true,
    upscale_enabled: true,
    images_per_prompt: 2,
    n_iter: 3,
    seed_mode: 'increment',
    filename_pattern: '{pack}/{seed}',
    image_format: 'jpg',
    loop_count: 4,
  },
}

describe('the settings of a pack', () => {
  test('have the stages that are switched on, in their order, its number of images and its files', () => {
    expect(ownSettings(preset)).toEqual({
      steps: 30,
      seed: 7,
      seedMode: 'increment',
      samplerName: 'Euler a',
      images: 6,
      filePattern: '{pack}/{seed}',
      fileFormat: 'jpeg',
      stages: [
        { as: 'img2img', denoisingStrength: 0.3, steps: 12, samplerName: 'DPM++ 2M', cfgScale: 6, keepInput: false },
        {
          as: 'adetailer',
          passes: [{ model: 'hand_yolov8n.pt', prompt: 'a hand', negativePrompt: '', confidence: 0.35, denoisingStrength: 0.25 }],
          keepInput: false,
        },
        { as: 'upscale', upscaler: 'R-ESRGAN 4x+', scale: 2, keepInput: false },
      ],
    })
  })

  test('have no stage that is switched off or not mentioned', () => {
    const { stages } = ownSettings({ ...preset, pipeline: { img2img_enabled: false, upscale_enabled: true } })
    expect(stages?.map(({ as }) => as)).toEqual(['upscale'])
    expect(ownSettings({ ...preset, pipeline: {} })).not.toHaveProperty('stages')
  })

  test('that are not used are named, those of stages that are off not', () => {
    expect(unusedSettings(preset)).toEqual(['img2img.prompt_adjust', 'upscale.tile_size', 'pipeline.loop_count'])
    expect(
      unusedSettings({ ...preset, pipeline: { upscale_enabled: true, seed_mode: 'lucky', txt2img_enabled: false }, upscale: {} }),
    ).toEqual([
      'pipeline.seed_mode "lucky"',
      'pipeline.txt2img_enabled (every job begins with txt2img)',
      'upscale (a value is out of range or missing)',
    ])
  })
})

const pack = (settings: object) => {
  const files = [
    {
      name: 'a.json',
      bytes: new TextEncoder().encode(
        JSON.stringify({ pack_data: { slots: [{ text: 'a' }, { text: 'b' }] }, preset_data: settings }),
      ),
    },
  ]
  const summary = {
    id: 'user/a.json',
    name: 'a',
    source: 'user' as const,
    path: '/a.json',
    files: ['a.json'],
    promptCount: 2,
    problem: null,
  }
  return { summary, files, content: parseFiles(files), wildcards: new Map() }
}
const seeds = (settings: object, images?: number) => {
  const jobs = packJobs(pack(settings), { drawSeed: 1, sweeps: [], images })
  return [jobs.at(0n).seed, jobs.at(1n).seed]
}

test('a seed that counts on gives no image of a batch the seed of another; a random one is none', () => {
  expect(seeds(preset)).toEqual([7, 13])
  expect(seeds(preset, 2)).toEqual([7, 9])
  const mode = (seed_mode: string) => ({ ...preset, pipeline: { ...preset.pipeline, seed_mode } })
  expect(seeds(mode('fixed'))).toEqual([7, 7])
  expect(seeds(mode('random'))).toEqual([undefined, undefined])
})

test('the page of a pack names what is not used as a warning', () => {
  const { findings } = describePack(pack(preset), 0, 10, [])
  expect(findings).toContainEqual(
    expect.objectContaining({
      severity: 'warning',
      file: 'a.json',
      message: 'StableNew does not use these settings: img2img.prompt_adjust, upscale.tile_size, pipeline.loop_count.',
    }),
  )
})
