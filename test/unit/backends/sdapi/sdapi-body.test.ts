import { expect, test } from 'vitest'
import { type SdapiFeatures, txt2imgBody } from '../../../../src-sidecar/backends/sdapi/sdapi-body.ts'
import { sdapiRequest } from '../../../../src-sidecar/backends/sdapi/sdapi-request.ts'
import type { Recipe, Source } from '../../../../src-sidecar/contract/recipe.ts'
import { recipe } from '../../jobs/queue-fixture.ts'

const checkpoints = ['sd15/Dream.safetensors [a1b2c3d4]', 'other.ckpt']
const all: SdapiFeatures = { checkpoints, adetailer: true, modules: false }
const body = (more: Partial<Recipe>, features: Partial<SdapiFeatures> = {}) =>
  txt2imgBody({ recipe: recipe(more), seed: 1 }, { ...all, ...features }, undefined)

test('a plain recipe overrides nothing', () => {
  for (const field of ['override_settings', 'enable_hr', 'refiner_checkpoint', 'alwayson_scripts'])
    expect(body({})).not.toHaveProperty(field)
})

test.each(['Dream', 'dream.safetensors', 'models\\Dream.ckpt', checkpoints[0]!])(
  'the checkpoint %s is named as the server spells it, and stays loaded for the next image',
  (checkpoint) => {
    expect(body({ checkpoint, vae: 'x.pt', clipSkip: 2 })).toMatchObject({
      override_settings: { sd_model_checkpoint: checkpoints[0], sd_vae: 'x.pt', CLIP_stop_at_last_layers: 2 },
      override_settings_restore_afterwards: false,
    })
  },
)

test('VAE and clip skip alone are for this image only', () => {
  expect(body({ clipSkip: 2 })).toMatchObject({
    override_settings: { CLIP_stop_at_last_layers: 2 },
    override_settings_restore_afterwards: true,
  })
})

test('a checkpoint that the server has not, which it would drop without a word, is refused with those that it has', () => {
  const wanted = expect.objectContaining({
    code: 'backend_rejected',
    message: expect.stringMatching(/no checkpoint "gone".*It has sd15\/Dream\.safetensors \[a1b2c3d4\], other\.ckpt\./),
  })
  expect(() => body({ checkpoint: 'gone' })).toThrow(wanted)
  expect(() => body({ refiner: { checkpoint: 'gone', switchAt: 0.8 } })).toThrow(wanted)
  expect(body({ checkpoint: 'gone' }, { checkpoints: [] })).toMatchObject({ override_settings: { sd_model_checkpoint: 'gone' } })
})

test('hires fix and refiner go out in the words of the API; Forge is told its modules', () => {
  const hires = { scale: 1.5, upscaler: 'Latent', steps: 8, denoisingStrength: 0.6 }
  const asked = { hires, refiner: { checkpoint: 'other', switchAt: 0.7 } }
  const words = {
    enable_hr: true,
    hr_scale: 1.5,
    hr_upscaler: 'Latent',
    hr_second_pass_steps: 8,
    denoising_strength: 0.6,
    refiner_checkpoint: 'other.ckpt',
    refiner_switch_at: 0.7,
  }
  expect(body(asked)).toMatchObject(words)
  expect(body(asked)).not.toHaveProperty('hr_additional_modules')
  expect(body(asked, { modules: true })).toMatchObject({ ...words, hr_additional_modules: ['Use same choices'] })
})

test('ADetailer is asked for where it is installed, and left out where it is not, for A1 would refuse the job', () => {
  const pass = { model: 'face_yolov8n.pt', prompt: 'a face', negativePrompt: '', confidence: 0.3, denoisingStrength: 0.4 }
  expect(body({ adetailer: [pass] })).toMatchObject({
    alwayson_scripts: {
      ADetailer: {
        args: [
          true,
          false,
          {
            ad_model: 'face_yolov8n.pt',
            ad_prompt: 'a face',
            ad_negative_prompt: '',
            ad_confidence: 0.3,
            ad_denoising_strength: 0.4,
          },
        ],
      },
    },
  })
  expect(body({ adetailer: [pass] }, { adetailer: false })).not.toHaveProperty('alwayson_scripts')
})

const passes = [{ model: 'hand_yolov8n.pt', prompt: '', negativePrompt: '', confidence: 0.4, denoisingStrength: 0.2 }]
const picture = Buffer.from('the picture of the stage before')
const ask = (source: Source, features = all) =>
  sdapiRequest({ recipe: recipe({ source }), seed: 3, picture }, features, undefined)

test('each stage has a request of its own, with the picture of the one before', async () => {
  const encoded = picture.toString('base64')
  expect(await ask({ as: 'img2img', path: 'x.png', denoisingStrength: 0.3 })).toMatchObject({
    path: '/sdapi/v1/img2img',
    body: { init_images: [encoded], denoising_strength: 0.3, seed: 3 },
  })
  expect(await ask({ as: 'upscale', path: 'x.png', upscaler: 'ESRGAN', scale: 3 })).toMatchObject({
    path: '/sdapi/v1/extra-single-image',
    body: { image: encoded, upscaler_1: 'ESRGAN', upscaling_resize: 3 },
  })
  expect(await ask({ as: 'adetailer', path: 'x.png', passes })).toMatchObject({
    path: '/sdapi/v1/img2img',
    body: {
      init_images: [encoded],
      alwayson_scripts: { ADetailer: { args: [true, true, { ad_model: 'hand_yolov8n.pt', ad_denoising_strength: 0.2 }] } },
    },
  })
})

test('ADetailer as a stage of a server that has none is refused: it would give the picture back as it is', async () => {
  await expect(ask({ as: 'adetailer', path: 'x.png', passes }, { ...all, adetailer: false })).rejects.toMatchObject({
    code: 'backend_rejected',
    message: expect.stringContaining('has no ADetailer'),
  })
})
