import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createPacer } from '../../../../src-sidecar/backends/draft-engine/pacer.ts'
import { Coverage } from '../../../../src-sidecar/backends/draft-engine/painter/coverage.ts'
import { Picture } from '../../../../src-sidecar/backends/draft-engine/painter/picture.ts'
import type { Recipe } from '../../../../src-sidecar/backends/draft-engine/painter/recipe.ts'
import { titleOf } from '../../../../src-sidecar/backends/draft-engine/painter/title.ts'

const recipe: Recipe = {
  prompt: 'a mountain lake at dawn',
  negativePrompt: '',
  seed: 1,
  width: 96,
  height: 128,
  sampler: 'Euler a',
  scheduler: 'Automatic',
  cfgScale: 7,
  start: null,
}

async function paint(changes: Partial<Recipe> = {}): Promise<Uint8Array> {
  return (await new Picture({ ...recipe, ...changes }).finish(createPacer())).data
}

const digest = (data: Uint8Array) => createHash('sha256').update(data).digest('hex').slice(0, 16)

describe('a picture', () => {
  test('is the same for the same recipe, whether painted at once or a share at a time', async () => {
    const slowly = new Picture(recipe)
    for (const share of [0.1, 0.35, 0.7]) await slowly.advance(share, createPacer(0))
    expect((await slowly.finish(createPacer())).data).toEqual(await paint())
  })

  test.each<[string, Partial<Recipe>]>([
    ['prompt', { prompt: 'a mountain lake at dusk' }],
    ['negative prompt', { negativePrompt: 'people' }],
    ['seed', { seed: 2 }],
    ['sampler', { sampler: 'Heun' }],
    ['scheduler', { scheduler: 'Karras' }],
    ['CFG scale', { cfgScale: 12 }],
  ])('is another one for another %s', async (_, changes) => {
    expect(digest(await paint(changes))).not.toBe(digest(await paint()))
  })

  // Fails when a change alters pixels: then raise `painterVersion` and renew these.
  test.each(goldens())('of %s has the pixels that it has on every machine', async (prompt, expected) => {
    expect(digest(await paint({ prompt, seed: 7 }))).toBe(expected)
  })

  test.each(['', '🌲🌲', '森の夜', '((((', 'x'.repeat(5000), '<lora:a:1>'])(
    'can be painted from the prompt %.20j',
    async (prompt) => {
      expect(await paint({ prompt })).toHaveLength(96 * 128 * 3)
    },
  )

  test('comes nearer to the final one with every preview', async () => {
    const picture = new Picture({ ...recipe, width: 256, height: 256 })
    const final = (await picture.finish(createPacer())).data
    const distances: number[] = []
    for (const share of [0.1, 0.3, 0.5, 0.7, 0.9, 1]) {
      const { data } = await picture.preview(share, createPacer())
      distances.push(data.reduce((sum, value, i) => sum + Math.abs(value - final[i]!), 0) / data.length)
    }
    expect(distances.toSorted((a, b) => b - a)).toEqual(distances)
    expect(distances.at(-1)).toBe(0)
    expect(distances[0]).toBeGreaterThan(20)
  })

  test('that is given up has its full size', async () => {
    const large = new Picture({ ...recipe, width: 1000, height: 700 })
    expect(await large.partial(0.4, createPacer())).toMatchObject({ width: 1000, height: 700 })
  })

  test('made from another picture stays near to it at low strength', async () => {
    const data = new Uint8Array(96 * 128 * 3).fill(200)
    const start = { pixels: { width: 96, height: 128, data }, mask: null }
    const meanDistance = (painted: Uint8Array) => painted.reduce((sum, value) => sum + Math.abs(value - 200), 0) / painted.length
    const weak = meanDistance(await paint({ start: { ...start, strength: 0.1 } }))
    const strong = meanDistance(await paint({ start: { ...start, strength: 0.9 } }))
    expect(weak).toBeLessThan(strong)
  })
})

test('coverage of a slanted shape adds up to its area', () => {
  const coverage = new Coverage(20, 10)
  coverage.fill([{ type: 'M', x: 2.5, y: 1.25 }, { type: 'L', x: 17, y: 3 }, { type: 'L', x: 9.75, y: 8.5 }, { type: 'Z' }])
  const row = new Float32Array(20)
  let sum = 0
  for (let y = 0; y < 10; y++) {
    coverage.row(y, row)
    sum += row.reduce((total, value) => total + value, 0)
  }
  expect(sum).toBeCloseTo(0.5 * Math.abs(14.5 * 7.25 - 7.25 * 1.75), 3)
})

test.each([
  ['a misty forest, masterpiece, best quality, 8k', 'A misty forest'],
  ['(golden hour:1.2), [lake], <lora:film:0.8>', 'Golden hour, lake'],
  ['one BREAK two', 'One, two'],
  ['', ''],
  ['masterpiece, highly detailed', ''],
])('the title of %j is %j', (prompt, title) => {
  expect(titleOf(prompt)).toBe(title)
})

test('a long title ends at a word with an ellipsis', () => {
  const title = titleOf('word '.repeat(40))
  expect(title.length).toBeLessThanOrEqual(73)
  expect(title).toMatch(/word…$/)
})

function goldens(): [prompt: string, digest: string][] {
  return [
    ['a mountain lake', '793ca8e7d4b715fd'],
    ['a misty forest', 'c155ebd22ab95c5b'],
    ['a portrait', '464da9ee4ddc1c5e'],
    ['an ocean sunset', '02ad1b7b5d7877ed'],
    ['a city at night', '414145412c9b2015'],
    ['a ringed planet', '64b613806024aef8'],
    ['glass orbs', 'a437700f2fd37de8'],
    ['a dahlia', '99bab625a77bc40d'],
    ['flowing silk', '4a0ac9ec2685059b'],
  ]
}
