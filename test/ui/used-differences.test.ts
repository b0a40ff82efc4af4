import { expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import { usedDifferences } from '../../src-ui/state/used-differences.ts'
import { recipe } from '../unit/jobs/queue-fixture.ts'

const image = (more: Partial<Image> = {}): Image => ({
  id: 1,
  jobId: 1,
  imageIndex: 2,
  packName: 'cats',
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
