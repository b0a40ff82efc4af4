import { expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import { usedDifferences } from '../../src-ui/state/used-differences.ts'
import { recipe } from '../unit/jobs/queue-fixture.ts'

const image = (more: Partial<Image> = {}): Image => ({
  id: 1,
  jobId: 1,
  imageIndex: 2,
  stage: 0,
  intermediate: false,
  packName: 'cats',
  promptIndex: 0,
  path: '/x.png',
  fileName: 'x.png',
  width: 64,
  height: 64,
  sizeBytes: 1,
  seed: 1002,
  checkpoint: '',
  backend: '',
  durationMs: 1,
  parameters: 'Steps: a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7.0, Seed: 1002, Size: 64x64',
  recipe: recipe(),
  createdAtMs: 1,
  rating: null,
  ratedAtMs: null,
  tags: [],
  missing: false,
  ...more,
})

test('an image that was made as asked for has no differences', () => {
  expect(usedDifferences(image())).toEqual([])
  expect(usedDifferences(image({ parameters: '' }))).toEqual([])
  const old = 'a cat\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7'
  expect(usedDifferences(image({ parameters: old, recipe: recipe({ samplerName: 'DPM++ 2M', scheduler: 'Karras' }) }))).toEqual(
    [],
  )
})

test('what a server rounded, fell back to or ignored is told', () => {
  const parameters = 'a cat\nSteps: 8, Sampler: DPM++ 2M, CFG scale: 3.5, Seed: 5, Size: 56x64'
  expect(usedDifferences(image({ width: 56, seed: 5, parameters }))).toEqual([
    'Size: asked for 64 × 64, made with 56 × 64.',
    'Seed: asked for 1002, made with 5.',
    'Steps: asked for 20, made with 8.',
    'CFG scale: asked for 7, made with 3.5.',
    'Sampler: asked for Euler a, made with DPM++ 2M.',
  ])
})

test('seeds count up beyond the largest as they are asked for', () => {
  expect(usedDifferences(image({ recipe: recipe({ seed: 2 ** 32 - 1 }), seed: 1, parameters: '' }))).toEqual([])
})

test('another checkpoint than the one asked for is told, another spelling of it is not', () => {
  const asked = recipe({ checkpoint: 'sd15/Dream.safetensors [a1b2c3d4]' })
  expect(usedDifferences(image({ recipe: asked, checkpoint: 'Dream' }))).toEqual([])
  expect(usedDifferences(image({ recipe: asked, checkpoint: 'other' }))).toEqual([
    'Checkpoint: asked for sd15/Dream.safetensors [a1b2c3d4], made with other.',
  ])
})

test('hires fix, refiner and ADetailer that a backend left out are told; a hires image has its larger size', () => {
  const asked = recipe({
    hires: { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.5 },
    refiner: { checkpoint: 'x', switchAt: 0.8 },
    adetailer: [{ model: 'face', prompt: '', negativePrompt: '', confidence: 0.3, denoisingStrength: 0.4 }],
    clipSkip: 2,
  })
  const done = ', Clip skip: 2, Hires upscale: 2, Refiner: x, ADetailer model: face'
  const { parameters } = image()
  expect(usedDifferences(image({ recipe: asked, width: 128, height: 128, parameters: parameters + done }))).toEqual([])
  expect(usedDifferences(image({ recipe: asked }))).toEqual([
    'Size: asked for 128 × 128, made with 64 × 64.',
    'Clip skip: asked for 2, made with 1.',
    "Hires fix was asked for, and not done: this backend can't.",
    "The refiner was asked for, and not done: this backend can't.",
    "ADetailer was asked for, and not done: this backend can't.",
  ])
})
