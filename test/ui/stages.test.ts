import { expect, test } from 'vitest'
import type { Stage } from '../../src-sidecar/contract/recipe.ts'
import { img2imgSize, pictureRequest, settingsTexts } from '../../src-ui/state/picture-request.ts'
import { lacksDetailer, moved, newStage, pixelUpscaler, stageProgress, stageSummary } from '../../src-ui/state/stages.ts'

const stages = [
  newStage('img2img', []),
  newStage('adetailer', []),
  newStage('upscale', ['None', 'Latent', 'Lanczos', '4x-UltraSharp']),
]

test('a new stage is ready to be used; an upscaler is one for pictures, and one with a model where there is one', () => {
  expect(stages.map(stageSummary)).toEqual(['img2img 0.3', 'ADetailer stage', 'upscale ×2'])
  expect(stages[2]).toMatchObject({ upscaler: '4x-UltraSharp' })
  expect(pixelUpscaler(['Latent', 'None'])).toBe('Lanczos')
})

test('a stage moves by one place, and the others stay in their order', () => {
  const order = (all: readonly Stage[]) => all.map(({ as }) => as)
  expect(order(moved(stages, 2, -1))).toEqual(['img2img', 'upscale', 'adetailer'])
  expect(order(moved(stages, 0, 1))).toEqual(['adetailer', 'img2img', 'upscale'])
})

test('the stage is told where there are several', () => {
  expect(stageProgress({ stage: 1, stages: ['txt2img', 'adetailer'] })).toBe('ADetailer, 2 of 2')
  expect(stageProgress({ stage: 0, stages: ['txt2img'] })).toBeNull()
})

test('a large picture is varied at a size that a GPU holds, in blocks of 8 pixels', () => {
  expect(img2imgSize({ width: 512, height: 513 })).toEqual({ width: 512, height: 512 })
  expect(img2imgSize({ width: 6000, height: 4000 })).toEqual({ width: 1536, height: 1024 })
  expect(img2imgSize({ width: 10, height: 3000 })).toEqual({ width: 64, height: 1536 })
})

const hires = { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.5 }
const picture = {
  format: 'png' as const,
  width: 1024,
  height: 1024,
  settings: {
    from: 'a1111' as const,
    prompt: 'a fox',
    negativePrompt: '',
    seed: 7,
    settings: { steps: 9, width: 512, height: 512, samplerName: 'DPM++ 2M', scheduler: 'Karras', cfgScale: 0, hires },
    ignored: [],
  },
}
const form = {
  name: 'a.png',
  prompt: 'a fox',
  negativePrompt: '',
  images: 2,
  sameSeed: true,
  denoisingStrength: 0.4,
  upscaler: 'Lanczos',
  scale: 3,
}

test('a picture is made again with all that it says, varied at its own size without hires fix, and made larger', () => {
  expect(pictureRequest('settings', picture, form)).toMatchObject({ seed: 7, images: 2, settings: { hires, width: 512 } })
  expect(pictureRequest('settings', picture, { ...form, sameSeed: false })).not.toHaveProperty('seed')
  const varied = pictureRequest('img2img', picture, form)
  expect(varied).toMatchObject({
    source: { as: 'img2img', denoisingStrength: 0.4 },
    settings: { steps: 9, width: 1024, height: 1024 },
  })
  expect(varied.settings).not.toHaveProperty('hires')
  expect(varied).not.toHaveProperty('seed')
  expect(pictureRequest('upscale', picture, form)).toMatchObject({ source: { as: 'upscale', upscaler: 'Lanczos', scale: 3 } })
})

test('what a picture says is told in few words', () => {
  expect(settingsTexts(picture.settings)).toEqual(['512 × 512', '9 steps', 'DPM++ 2M Karras', 'CFG 0', 'hires ×2'])
})

test('where no backend has ADetailer that is known, unless one was not asked yet', () => {
  const webui = (available: boolean) => ({ kind: 'sdapi' as const, capabilities: [{ name: 'adetailer' as const, available }] })
  expect(lacksDetailer([{ kind: 'draft', capabilities: null }, { kind: 'comfyui', capabilities: [] }, webui(false)])).toBe(true)
  expect(lacksDetailer([webui(false), webui(true)])).toBe(false)
  expect(lacksDetailer([{ kind: 'sdapi', capabilities: null }])).toBe(false)
  expect(lacksDetailer([])).toBe(false)
})
