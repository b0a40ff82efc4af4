import { expect, test } from 'vitest'
import { type InfotextSource, infotext, joinParameters } from '../../../../src-sidecar/backends/draft-engine/infotext.ts'

const source: InfotextSource = {
  prompt: 'a lake, dawn',
  negativePrompt: 'blurry',
  sampling: { sampler: 'DPM++ 2M', scheduler: 'Karras' },
  steps: 20,
  cfgScale: 7,
  seed: 42,
  width: 512,
  height: 768,
  restoreFaces: false,
  denoisingStrength: null,
  subseed: -1,
  subseedStrength: 0,
  clipSkip: 1,
  tiling: false,
  extra: {},
}

const parameters =
  'Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 42, Size: 512x768, Model: StableNew Draft (no model)'

test('an infotext has prompt, negative prompt and parameters on a line each', () => {
  expect(infotext(source)).toBe(`a lake, dawn\nNegative prompt: blurry\n${parameters}, Version: draft-1`)
})

test('without a negative prompt its line is missing', () => {
  expect(infotext({ ...source, negativePrompt: '' })).toBe(`a lake, dawn\n${parameters}, Version: draft-1`)
})

test('what is not usual is added in the order of A1', () => {
  const text = infotext({
    ...source,
    subseed: 9,
    subseedStrength: 0.2,
    denoisingStrength: 0.5,
    clipSkip: 2,
    extra: { 'Hires upscale': 2 },
  })
  const unusual = 'Variation seed: 9, Variation seed strength: 0.2, Denoising strength: 0.5, Clip skip: 2, Hires upscale: 2'
  expect(text).toContain(`${parameters}, ${unusual}, Version: draft-1`)
})

test('a value with a comma, a colon or a line break is quoted', () => {
  expect(joinParameters({ a: 'x, "y"', b: 'k:v', c: 'plain', d: null })).toBe('a: "x, \\"y\\"", b: "k:v", c: plain')
})
