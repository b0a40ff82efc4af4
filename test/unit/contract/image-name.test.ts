import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  defaultPattern,
  imageName,
  imageNameValues,
  imageTokens,
  unknownTokens,
} from '../../../src-sidecar/contract/image-name.ts'
import { recipe } from '../jobs/queue-fixture.ts'

const values = (more: object = {}, images = 1) =>
  imageNameValues({
    packName: 'cats',
    promptIndex: 4,
    jobId: 12,
    imageIndex: 1,
    recipe: recipe({ prompt: 'a cat, on a mat', images, cfgScale: 7.5 }),
    stage: 'upscale',
    used: { seed: 1001, width: 64, height: 96, checkpoint: 'sd/dream.safetensors' },
    createdAtMs: new Date(2026, 0, 31, 23, 59, 58).getTime(),
    ...more,
  })

describe('a name', () => {
  test.each([
    [defaultPattern, '2026-01-31/cats/005-2-a-cat-on-a-mat-1001'],
    ['[pack]_[seed]', 'cats_1001'],
    ['[model] [sampler] [steps] [cfg] [size]', 'sd-dream.safetensors-Euler-a-20-7.5-64x96'],
    ['{date}/{seed}', '2026-01-31/1001'],
    ['[datetime]', '[datetime]'],
    ['[model_name]/[job]/[time]-[stage]', 'sd-dream.safetensors/12/235958-upscale'],
    ['../[seed]', 'untitled/1001'],
    ['/etc//[seed]/', 'etc/1001'],
    ['con/[seed].', '_con/1001'],
  ])('by %j is %j', (pattern, name) => {
    expect(imageName(pattern, values({}, 4))).toBe(name)
  })

  test('leaves out what there is not, with a mark beside it', () => {
    expect(imageName('[number]-[image]-[seed]', values())).toBe('005-1001')
    expect(imageName('[seed]-[image]', values())).toBe('1001')
    expect(imageName('[image]', values())).toBe('untitled')
  })

  test('stays in its folder and is safe on every system, whatever pattern and values', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('.', '/', '\\', '-', ' ', '[seed]', '[pack]', 'con', '猫') }),
    )
    fc.assert(
      fc.property(text, text, text, (pattern, packName, prompt) => {
        const name = imageName(pattern, values({ packName, recipe: recipe({ prompt }) }))
        for (const part of name.split('/')) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be gone
          expect(part).not.toMatch(/[\x00-\x1f\x7f<>:"\\|?*]|^[-. ]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|^$/i)
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(204)
        }
      }),
      { numRuns: 500 },
    )
  })
})

test('tokens that mean nothing are named', () => {
  expect(unknownTokens('[date]/{seed} [nonsense] {x} [model_name] [A]')).toEqual(['[nonsense]', '{x}'])
  expect(
    unknownTokens(
      Object.keys(imageTokens)
        .map((name) => `[${name}]`)
        .join(' '),
    ),
  ).toEqual([])
})
