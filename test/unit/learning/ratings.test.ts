import { afterEach, describe, expect, test } from 'vitest'
import type { Recipe } from '../../../src-sidecar/contract/recipe.ts'
import { newJob, recipe } from '../jobs/queue-fixture.ts'
import { newLearning, noPause } from './learning-fixture.ts'

type Fixture = Awaited<ReturnType<typeof newLearning>>
const opened: Fixture[] = []
afterEach(() => {
  for (const { database } of opened.splice(0)) database.close()
})
const start = async (): Promise<Fixture> => {
  const fixture = await newLearning()
  opened.push(fixture)
  return fixture
}

/** Images of these recipes in the history, each with its rating; in one go, for each commit waits for the disk. */
function rated({ database, jobs, images, makeImages }: Fixture, ...all: [Partial<Recipe>, number][]): void {
  database.transaction(() => {
    for (const [recipe, rating] of all) {
      const [job] = jobs.add([newJob(recipe)], 1)
      for (const id of makeImages()) images.rate(id, rating, Date.now())
      jobs.cancelPending(job!, 1)
    }
  })()
}

/** Seeds, each with CFG scale 4 and 8; 8 is liked better. */
const likes8 = (seeds: number, more: Partial<Recipe> = {}): [Partial<Recipe>, number][] =>
  Array.from({ length: seeds }, (_, seed): [Partial<Recipe>, number][] => [
    [{ ...more, seed, cfgScale: 4 }, 2],
    [{ ...more, seed, cfgScale: 8 }, 4 + (seed % 2)],
  ]).flat()

describe('ratings of the gallery', () => {
  test('make a recommendation, of the images that share all but that one thing', async () => {
    const fixture = await start()
    rated(fixture, ...likes8(10))
    const { recommendations, scopes, model } = await fixture.learning.recommendations({})
    expect(model).toBe('dream')
    expect(scopes).toMatchObject([{ model: 'dream', packs: [{ packId: 'user/cats.txt', packName: 'cats' }] }])
    expect(recommendations).toMatchObject([{ variable: 'cfgScale', verdict: 'best', best: 8, blocks: 10, fromGallery: 20 }])
    expect(recommendations[0]?.values.map(({ value, seen }) => [value, seen])).toEqual([
      [4, 10],
      [8, 10],
    ])
  })

  test.each([
    ['seed', { seed: 99 }],
    ['prompt', { prompt: 'a dog' }],
    ['negative prompt', { negativePrompt: 'text' }],
    ['size', { width: 128 }],
    ['steps', { steps: 30 }],
    ['sampler', { samplerName: 'Euler' }],
    ['checkpoint', { checkpoint: 'other' }],
    ['hires fix', { hires: { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.5 } }],
  ] as const)('say nothing about CFG scale where the %s differs too', async (_, other) => {
    const fixture = await start()
    rated(fixture, [{ cfgScale: 4 }, 1], [{ cfgScale: 8, ...other }, 5])
    expect((await fixture.learning.recommendations({})).recommendations).toEqual([])
  })

  test('tell LoRA strengths apart, and checkpoints as one list of their own', async () => {
    const fixture = await start()
    rated(
      fixture,
      [{ prompt: 'a cat <lora:ink:0.5>' }, 2],
      [{ prompt: 'a cat <lora:ink:1>' }, 4],
      [{ seed: 7, checkpoint: 'one' }, 2],
      [{ seed: 7, checkpoint: 'two' }, 4],
    )
    const variables = async (model: string) =>
      (await fixture.learning.recommendations({ model })).recommendations.map(({ variable }) => variable)
    expect(await variables('dream')).toEqual(['lora:ink'])
    expect(await variables('')).toEqual(['checkpoint'])
    expect(await variables('two')).toEqual([])
  })

  test('of an image that was judged in its experiment do not count twice', async () => {
    const fixture = await start()
    const { create, makeImages, reviewAll, learning, images } = fixture
    const { id } = await create({ variable: 'cfgScale', values: [4, 8], source: { from: 'text', prompt: 'a cat' }, images: 6 })
    const made = makeImages()
    reviewAll(id, () => 3)
    for (const image of made) images.rate(image, 5, 1)
    expect((await learning.recommendations({})).recommendations).toMatchObject([{ fromExperiments: 12, fromGallery: 0 }])
  })

  test('thousands are looked through without holding up the others', async () => {
    const fixture = await start()
    const ratings = likes8(1000).map(([more, rating]) => {
      const made = recipe(more)
      return { packId: 'p', packName: 'p', model: 'dream', seed: made.seed, recipe: made, rating, ratedAtMs: 1 }
    })
    await fixture.learning.import({ format: 'stablenew-learning', version: 1, experiments: [], ratings })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { recommendations } = await fixture.learning.recommendations({})
    clearInterval(timer)
    expect(recommendations).toMatchObject([{ verdict: 'best', best: 8, blocks: 1000 }])
    expect(turns).toBeGreaterThan(0)
  })
})

test('images of one prompt and seed that two servers made with other checkpoints are not compared', async () => {
  const { create, makeImages, reviewAll, learning } = await start()
  const source = { from: 'text', prompt: 'a cat' } as const
  const { id } = await create({ variable: 'cfgScale', values: [4, 8], source, images: 6, review: 'pairs' })
  makeImages(6, 'one')
  makeImages(6, 'two')
  makeImages(Number.POSITIVE_INFINITY, 'two')
  const { progress } = reviewAll(id, () => 'left')
  expect(progress.answered).toBe(6)
  expect(learning.result(id)).toEqual([])
})

describe('records', () => {
  async function full(): Promise<Fixture> {
    const fixture = await start()
    rated(fixture, ...likes8(6))
    const source = { from: 'text', prompt: 'a cat' } as const
    const { id } = await fixture.create({ variable: 'steps', values: [10, 20], source, images: 6 })
    fixture.makeImages()
    fixture.reviewAll(id, ([path = '']) => (path.includes('-0') ? 2 : 4))
    return fixture
  }

  test('go out and come in elsewhere, where they give the same advice', async () => {
    const from = await full()
    const records = JSON.parse(JSON.stringify(await from.learning.records()))
    const to = await start()
    expect(await to.learning.import(records)).toEqual({ experiments: 1, answers: 12, ratings: 12 })
    expect(await to.learning.recommendations({})).toEqual(await from.learning.recommendations({}))
    expect(await to.learning.experiments.list(noPause)).toMatchObject([
      { variable: 'steps', progress: { total: 12, answered: 12, ready: 0 } },
    ])
  })

  test('count once, however often and wherever they are imported', async () => {
    const from = await full()
    const records = await from.learning.records()
    expect(await from.learning.import(records)).toEqual({ experiments: 0, answers: 0, ratings: 0 })
    const to = await start()
    await to.learning.import(records)
    expect(await to.learning.import(await to.learning.records())).toEqual({ experiments: 0, answers: 0, ratings: 0 })
  })

  test('of an image that was rated anew: the latest rating counts, and here the own one', async () => {
    const from = await full()
    const records = await from.learning.records()
    const anew = { ...records, ratings: records.ratings.map((one) => ({ ...one, rating: 1, ratedAtMs: one.ratedAtMs + 1000 })) }
    const to = await start()
    await to.learning.import(records)
    expect(await to.learning.import(anew)).toMatchObject({ ratings: 12 })
    expect(await to.learning.import(records)).toMatchObject({ ratings: 0 })
    expect((await to.learning.records()).ratings.map(({ rating }) => rating)).toEqual(new Array(12).fill(1))
    expect(await from.learning.import(anew)).toMatchObject({ ratings: 0 })
  })

  test('with answers to come: what is lacking is added', async () => {
    const from = await full()
    const records = await from.learning.records()
    const [experiment] = records.experiments
    const to = await start()
    await to.learning.import({ ...records, experiments: [{ ...experiment!, answers: experiment!.answers.slice(0, 5) }] })
    expect(await to.learning.import(records)).toMatchObject({ experiments: 0, answers: 7 })
  })
})

test('a stop ends what is being worked out, and nothing begins after it', async () => {
  const fixture = await start()
  rated(fixture, ...likes8(60))
  const working = fixture.learning.recommendations({})
  const refused = expect(working).rejects.toMatchObject({ code: 'shutting_down' })
  await fixture.learning.stop()
  await refused
  expect(await fixture.learning.closed).toEqual({ name: 'learning' })
  await expect(fixture.learning.recommendations({})).rejects.toMatchObject({ code: 'shutting_down' })
})
