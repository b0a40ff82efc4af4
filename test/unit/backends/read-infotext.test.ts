import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { infotext } from '../../../src-sidecar/backends/infotext.ts'
import { readInfotext, settingsOfInfotext } from '../../../src-sidecar/backends/read-infotext.ts'
import { type Recipe, recipeDefaultsSchema } from '../../../src-sidecar/contract/recipe.ts'
import { recipe } from '../jobs/queue-fixture.ts'

/** As A1 1.10 writes it, with Hires fix, a refiner and ADetailer. */
const a1 = `masterpiece, <lora:add_detail:0.7>, a fox
in the snow
Negative prompt: blurry, (low quality:1.4)
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 4294967295, Size: 832x1216, Model hash: 1449e5b0b9, Model: animagineXL, VAE hash: 235745af8d, VAE: sdxl_vae.safetensors, Denoising strength: 0.35, Clip skip: 2, RNG: CPU, ADetailer model: face_yolov8n.pt, ADetailer prompt: "a face, smiling", ADetailer confidence: 0.3, ADetailer denoising strength: 0.4, ADetailer model 2nd: hand_yolov8n.pt, ADetailer confidence 2nd: 0.5, ADetailer version: 24.1.1, Hires upscale: 1.5, Hires steps: 12, Hires upscaler: 4x-UltraSharp, Refiner: sd_xl_refiner [7440042bbd], Refiner switch at: 0.8, Lora hashes: "add_detail: 7c6bad76eb54, other: 1", Version: v1.10.1`

test("A1's infotext is read, and what has no place in a recipe is named", () => {
  expect(settingsOfInfotext(a1)).toEqual({
    from: 'a1111',
    prompt: 'masterpiece, <lora:add_detail:0.7>, a fox\nin the snow',
    negativePrompt: 'blurry, (low quality:1.4)',
    seed: 4294967295,
    settings: {
      samplerName: 'DPM++ 2M',
      scheduler: 'Karras',
      steps: 28,
      cfgScale: 6.5,
      width: 832,
      height: 1216,
      checkpoint: 'animagineXL',
      vae: 'sdxl_vae.safetensors',
      clipSkip: 2,
      hires: { scale: 1.5, upscaler: '4x-UltraSharp', steps: 12, denoisingStrength: 0.35 },
      refiner: { checkpoint: 'sd_xl_refiner [7440042bbd]', switchAt: 0.8 },
      adetailer: [
        { model: 'face_yolov8n.pt', prompt: 'a face, smiling', negativePrompt: '', confidence: 0.3, denoisingStrength: 0.4 },
        { model: 'hand_yolov8n.pt', prompt: '', negativePrompt: '', confidence: 0.5, denoisingStrength: 0.4 },
      ],
    },
    ignored: ['RNG'],
  })
})

test('the scheduler that older versions put behind the sampler is parted from it', () => {
  const read = settingsOfInfotext('a cat\nSteps: 20, Sampler: DPM++ 2M SDE Karras, CFG scale: 7, Seed: 1, Size: 512x512')
  expect(read?.settings).toMatchObject({ samplerName: 'DPM++ 2M SDE', scheduler: 'Karras' })
})

describe('a text that is none', () => {
  test.each(['', 'a cat', 'a cat\nSteps: 20', '{"nodes": []}'])('has no settings: %j', (text) => {
    expect(settingsOfInfotext(text)).toBeNull()
  })

  test('never throws, whatever it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('Steps: ', '"', ', ', '\\', ':', '\n', 'Size: 1x', 'Negative prompt:', 'Hires upscale: '))
        .map((all) => all.join('')),
    )
    fc.assert(
      fc.property(text, (any) => void settingsOfInfotext(any)),
      { numRuns: 500 },
    )
  })

  test('out of range leaves the rest', () => {
    const read = settingsOfInfotext('x\nSteps: 0, Sampler: Euler, CFG scale: 900, Seed: -1, Size: 9x99999, Clip skip: 2')
    expect(read).toMatchObject({ settings: { samplerName: 'Euler', scheduler: 'Automatic', clipSkip: 2 } })
    expect(Object.keys(read!.settings)).toHaveLength(3)
    expect(read).not.toHaveProperty('seed')
  })
})

const line = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((text) => text.replaceAll(/[\r\n]/g, ' ').trim())
  .filter((text) => text !== '' && !text.startsWith('Negative prompt:'))
const prompt = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'))
/** A1 takes what is in quotes for quoted, and can't write an empty value. */
const name = line.filter((text) => !text.startsWith('"') && text.trim() === text)
const share = fc.integer({ min: 0, max: 100 }).map((hundredths) => hundredths / 100)

const made: fc.Arbitrary<Recipe> = fc
  .record({
    prompt,
    negativePrompt: fc.oneof(fc.constant(''), prompt),
    samplerName: name.filter((text) => !/ (Karras|Exponential)$/.test(text)),
    scheduler: fc.oneof(fc.constant('Automatic'), name),
    steps: fc.integer({ min: 1, max: 1000 }),
    cfgScale: share,
    width: fc.integer({ min: 64, max: 8192 }),
    height: fc.integer({ min: 64, max: 8192 }),
    vae: fc.option(name, { nil: undefined }),
    clipSkip: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    hires: fc.option(
      fc.record({ scale: fc.integer({ min: 1, max: 8 }), upscaler: name, steps: fc.nat(1000), denoisingStrength: share }),
      { nil: undefined },
    ),
    refiner: fc.option(fc.record({ checkpoint: name, switchAt: share }), { nil: undefined }),
    adetailer: fc.option(
      fc.array(
        fc.record({
          model: name,
          prompt: fc.oneof(fc.constant(''), name),
          negativePrompt: fc.oneof(fc.constant(''), name),
          confidence: share,
          denoisingStrength: share,
        }),
        { minLength: 1, maxLength: 4 },
      ),
      { nil: undefined },
    ),
  })
  .map((fields) => recipe(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))))

test('what StableNew writes comes back as it was', () => {
  fc.assert(
    fc.property(made, name, fc.nat(2 ** 32 - 1), (recipe, checkpoint, seed) => {
      const { width, height } = recipe
      const read = settingsOfInfotext(infotext(recipe, { seed, width, height, checkpoint }))
      const { images: _, version: __, seed: ___, prompt, negativePrompt, ...settings } = recipe
      expect(read).toEqual({
        from: 'a1111',
        prompt,
        negativePrompt,
        seed,
        settings: recipeDefaultsSchema.partial().parse({ ...settings, checkpoint }),
        ignored: [],
      })
    }),
    { numRuns: 300 },
  )
})

test('the size of a picture that hires fix made larger is that of its first pass, as A1 names it', () => {
  const hires = { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.5 }
  const text = infotext(recipe({ width: 512, height: 768, hires }), { seed: 1, width: 1024, height: 1536, checkpoint: '' })
  expect(readInfotext(text).fields.get('Size')).toBe('512x768')
})
