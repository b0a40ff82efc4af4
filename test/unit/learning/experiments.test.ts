import { afterEach, expect, test } from 'vitest'
import { newLearning, noPause } from './learning-fixture.ts'

type Fixture = Awaited<ReturnType<typeof newLearning>>
let open: Fixture | undefined
afterEach(() => open?.database.close())
const start = async (): Promise<Fixture> => (open = await newLearning())

const text = { from: 'text', prompt: 'a cat' } as const

test('makes each prompt with every value and the same seeds, as ordinary jobs', async () => {
  const { create, jobs } = await start()
  const source = { from: 'pack' as const, packId: 'user/owls.txt', prompts: [0, 1] }
  const made = await create({ variable: 'cfgScale', values: [4, 7, 10], source, images: 3, settings: { steps: 9 } })
  expect(made).toMatchObject({ name: 'CFG scale, owls', promptCount: 2, imagesWanted: 18, jobsOpen: 6 })
  expect(made.progress).toEqual({ total: 18, answered: 0, ready: 0 })
  const pending = jobs.pending(100, 0)
  expect(pending.map(({ recipe }) => recipe.cfgScale)).toEqual([4, 7, 10, 4, 7, 10])
  expect(pending.every(({ recipe, packId }) => recipe.steps === 9 && recipe.images === 3 && packId === 'user/owls.txt')).toBe(
    true,
  )
  for (const row of [pending.slice(0, 3), pending.slice(3)])
    for (const key of ['seed', 'prompt', 'negativePrompt'] as const)
      expect(new Set(row.map(({ recipe }) => recipe[key])).size).toBe(1)
  expect(pending[0]?.recipe).toMatchObject({ prompt: 'an owl', negativePrompt: 'a cat', chosen: { sweep: { cfgScale: '4' } } })
})

test('jobs of a checkpoint follow each other, whatever the prompt: to load one takes long', async () => {
  const { create, jobs } = await start()
  const source = { from: 'pack' as const, packId: 'user/owls.txt', prompts: [0, 1] }
  await create({ variable: 'checkpoint', values: ['one', 'two'], source })
  expect(jobs.pending(100, 0).map(({ recipe }) => recipe.checkpoint)).toEqual(['one', 'one', 'two', 'two'])
})

test.each([
  ['hires.denoisingStrength', [0.3, 0.6], { hires: { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.3 } }],
  ['adetailer.confidence', [0.2, 0.5], { adetailer: [{ model: 'face_yolov8n.pt', confidence: 0.2 }] }],
  ['lora:ink', [0.5, 1], { prompt: 'a cat <lora:ink:0.5>' }],
  ['clipSkip', [1, 2], { clipSkip: 1 }],
  ['stages.img2img.denoisingStrength', [0.3, 0.6], { stages: [{ as: 'img2img', denoisingStrength: 0.3 }] }],
] as const)('%s is varied where it belongs', async (variable, values, first) => {
  const { create, jobs } = await start()
  await create({ variable, values: [...values], source: text })
  expect(jobs.pending(1, 0)[0]?.recipe).toMatchObject(first)
})

test.each([
  ['no such setting', { variable: 'speed', values: [1, 2] }, /"speed" can't be varied/],
  ['a value out of range', { variable: 'steps', values: [10, 0] }, /Steps can't be 0/],
  ['a value twice', { variable: 'steps', values: [10, 10] }, /Two of the values are the same/],
  ['a refiner that is not chosen', { variable: 'refiner.switchAt', values: [0.5, 0.8] }, /Choose a refiner/],
])('%s: says what is wrong, and queues nothing', async (_, request, message) => {
  const { create, jobs, learning } = await start()
  await expect(async () => create({ ...request, source: text })).rejects.toThrow(message)
  expect(jobs.pendingTotals().jobs).toBe(0)
  expect(await learning.experiments.list(noPause)).toEqual([])
})

test('more images than an experiment may make are refused', async () => {
  const { create, jobs } = await start()
  const values = Array.from({ length: 50 }, (_, at) => at + 1)
  const source = { from: 'pack' as const, packId: 'user/owls.txt', prompts: [0, 1] }
  await expect(create({ variable: 'steps', values, images: 51, source })).rejects.toThrow(/at most 5,000/)
  expect(jobs.pendingTotals().jobs).toBe(0)
})

test('a review shows only what is made, in an order that tells nothing, and each thing once', async () => {
  const { create, makeImages, learning, reviewAll } = await start()
  const { id } = await create({ variable: 'cfgScale', values: [4, 7, 10], source: text, images: 8, seed: 5 })
  expect(learning.experiments.review(id).items).toEqual([])
  makeImages(8)
  expect(learning.experiments.review(id).progress).toEqual({ total: 24, answered: 0, ready: 8 })
  makeImages()
  const seen: string[] = []
  const { progress, items } = reviewAll(id, ([path = '']) => {
    seen.push(path)
    return 3
  })
  expect(progress).toEqual({ total: 24, answered: 24, ready: 0 })
  expect(items).toEqual([])
  expect(new Set(seen).size).toBe(24)
  expect(seen).not.toEqual(seen.toSorted())
})

test('what a review tells holds no value, no file and no parameter', async () => {
  const { create, makeImages, learning } = await start()
  const { id } = await create({ variable: 'lora:ink', values: [0.125, 0.875], source: text, images: 2 })
  makeImages()
  const told = JSON.stringify(learning.experiments.review(id))
  for (const secret of ['0.125', '0.875', 'png', 'dream', 'Euler']) expect(told).not.toContain(secret)
})

test('pairs: each value stands beside two others of the same prompt and seed, on both sides alike', async () => {
  const { create, makeImages, learning, reviewAll } = await start()
  const { id } = await create({
    variable: 'cfgScale',
    values: [1, 2, 3, 4, 5, 6],
    source: text,
    images: 40,
    review: 'pairs',
    seed: 1,
  })
  makeImages()
  const times = new Map<string, number>()
  let firstIsLower = 0
  reviewAll(id, ([left = '', right = '']) => {
    const [a, b] = [left, right].map((path) => /(\d+)-(\d+)\.png/.exec(path)!.slice(1).map(Number))
    expect(a![1]).toBe(b![1])
    expect(a![0]).not.toBe(b![0])
    firstIsLower += Number(a![0]! < b![0]!)
    for (const path of [left, right]) times.set(path, (times.get(path) ?? 0) + 1)
    return 'equal'
  })
  expect([...times.values()].every((count) => count === 2)).toBe(true)
  expect(times.size).toBe(240)
  expect(firstIsLower).toBeGreaterThan(90)
  expect(firstIsLower).toBeLessThan(150)
  expect(learning.result(id)[0]).toMatchObject({ review: 'pairs', verdict: 'no-difference', blocks: 40 })
})

test('a review goes on where it was left, over a restart; no answer is lost', async () => {
  const first = await start()
  const { id } = await first.create({ variable: 'cfgScale', values: [4, 7], source: text, images: 4 })
  first.makeImages()
  const { items } = first.learning.experiments.review(id)
  const after = first.learning.experiments.answer(id, { place: items[0]!.place, answer: 4 })
  const again = await first.reopen()
  open = again
  expect(again.learning.experiments.review(id)).toEqual(after)
  expect(after.progress.answered).toBe(1)
  expect(after.items[0]).toEqual(items[1])
})

test('an answer can be taken back, and what it was about comes again; a second press changes nothing', async () => {
  const { create, makeImages, learning } = await start()
  const { id } = await create({ variable: 'cfgScale', values: [4, 7], source: text, images: 4 })
  makeImages()
  const [one] = learning.experiments.review(id).items
  learning.experiments.answer(id, { place: one!.place, answer: 4 })
  const twice = learning.experiments.answer(id, { place: one!.place, answer: 1 })
  expect(twice.progress.answered).toBe(1)
  const back = learning.experiments.undo(id)
  expect(back.progress.answered).toBe(0)
  expect(back.items[0]).toEqual(one)
  expect(learning.experiments.undo(id).progress.answered).toBe(0)
})

test('images of a job that was edited in the queue are not judged; one that was only written anew is', async () => {
  const { create, makeImages, learning, database } = await start()
  const { id } = await create({ variable: 'cfgScale', values: [4, 7, 9], source: text })
  const [one, two] = database.prepare('SELECT id, recipe FROM jobs ORDER BY id').all() as { id: number; recipe: string }[]
  const rewrite = database.prepare('UPDATE jobs SET recipe = ? WHERE id = ?')
  rewrite.run(JSON.stringify({ ...JSON.parse(one!.recipe), steps: 50 }), one!.id)
  rewrite.run(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(two!.recipe)).reverse())), two!.id)
  makeImages()
  expect(learning.experiments.review(id).progress).toEqual({ total: 6, answered: 0, ready: 4 })
})

test('an answer that does not fit is refused', async () => {
  const { create, makeImages, learning } = await start()
  const { id } = await create({ variable: 'cfgScale', values: [4, 7], source: text })
  expect(() => learning.experiments.answer(id, { place: 0, answer: 3 })).toThrow(/not made yet/)
  makeImages()
  expect(() => learning.experiments.answer(id, { place: 0, answer: 'left' })).toThrow(/1 to 5 stars/)
  expect(() => learning.experiments.answer(id, { place: 99, answer: 3 })).toThrow(/no place 99/)
  expect(() => learning.experiments.answer(77, { place: 0, answer: 3 })).toThrow(/no experiment 77/)
})

test('a deleted experiment takes its answers with it and cancels what waits; images stay', async () => {
  const { create, makeImages, learning, jobs, images } = await start()
  const { id } = await create({ variable: 'cfgScale', values: [4, 7], source: text })
  const made = makeImages(3)
  await learning.experiments.remove(id)
  expect(await learning.experiments.list(noPause)).toEqual([])
  expect(jobs.pendingTotals().jobs).toBe(0)
  expect(images.all(made)).toHaveLength(3)
  expect((await learning.recommendations({})).recommendations).toEqual([])
})
