import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Job, Queue } from '../../src-sidecar/contract/job.ts'
import type { Pack, PackPreview, Packs } from '../../src-sidecar/contract/pack.ts'
import { type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'

const { start } = trackSidecars()

const owls = {
  pack_data: {
    name: 'owls',
    slots: [{ index: 0, text: 'an owl in [[mood]] light, __place__', negative: 'not [[mood]]' }, { text: 'a fox' }],
    matrix: { enabled: true, mode: 'fanout', limit: 0, slots: [{ name: 'mood', values: ['soft', 'harsh', 'no'] }] },
  },
  preset_data: {
    txt2img: {
      steps: 3,
      cfg_scale: 5.0000000000000036,
      sampler_name: 'DPM++ 2M',
      scheduler: 'Karras',
      width: 128,
      height: 64,
      seed: -1,
    },
    pipeline: { images_per_prompt: 2 },
  },
}

/** A sidecar with these files in its packs folder; the queue is paused, so that jobs can be looked at. */
async function withPacks(files: Readonly<Record<string, string | object>>): Promise<RunningSidecar> {
  const dataDir = tempDir('sidecar')
  for (const [name, content] of Object.entries(files)) {
    const path = join(dataDir, 'packs', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }
  const sidecar = await start({ dataDir })
  await sidecar.post('/api/queue/pause')
  return sidecar
}

const pendingJobs = async (sidecar: RunningSidecar): Promise<Job[]> => (await sidecar.get<Queue>('/api/queue?limit=500')).pending
const packOf = (sidecar: RunningSidecar, id: string) => sidecar.get<Pack>(`/api/pack?id=${encodeURIComponent(id)}`)

test('a matrix pack is queued as its preview shows, with its own settings and what was chosen, and makes its images', async () => {
  const sidecar = await withPacks({ 'owls.json': owls, 'wildcards/place.txt': '# places\nat sea\nin a wood\n' })
  expect(await packOf(sidecar, 'user/owls.json')).toMatchObject({
    promptCount: 2,
    jobCount: '4',
    findings: [],
    matrix: { slots: [{ name: 'mood' }] },
    settings: { steps: 3, cfgScale: 5, samplerName: 'DPM++ 2M', scheduler: 'Karras', width: 128, height: 64, images: 2 },
  })
  const choice = { packId: 'user/owls.json', drawSeed: 11 }
  const { count, jobs } = await sidecar.post<PackPreview>('/api/pack/preview', choice)
  expect(count).toBe('4')
  expect(jobs.map(({ prompt }) => prompt.replace(/, .*/, ''))).toEqual([
    'an owl in soft light',
    'an owl in harsh light',
    'an owl in no light',
    'a fox',
  ])
  await sidecar.queue('user/owls.json', { drawSeed: 11, settings: { steps: 4 } })
  const queued = await pendingJobs(sidecar)
  expect(
    queued.map(({ recipe, promptIndex }) => ({
      prompt: recipe.prompt,
      negativePrompt: recipe.negativePrompt,
      promptIndex,
      chosen: recipe.chosen ?? {},
    })),
  ).toEqual(jobs.map(({ problem: _, ...shown }) => shown))
  expect(queued[0]?.recipe).toMatchObject({
    steps: 4,
    cfgScale: 5,
    samplerName: 'DPM++ 2M',
    width: 128,
    height: 64,
    images: 2,
    chosen: { slots: { mood: 'soft' }, wildcards: { place: expect.stringMatching(/at sea|in a wood/) } },
  })
  await sidecar.post('/api/queue/cancel-pending')
  await sidecar.post('/api/queue/resume')
  await sidecar.queue('user/owls.json', { limit: 1, images: 1 })
  const { images } = await waitForEmptyQueue(sidecar)
  expect(images.map(({ recipe }) => recipe.chosen?.slots)).toEqual([{ mood: 'soft' }])
})

test('a .txt and a .json of one name are one pack, which every change of either file shows', async () => {
  const settings = { preset_data: { txt2img: { steps: 7 }, randomization: { matrix: owls.pack_data.matrix } } }
  const sidecar = await withPacks({ 'pair.txt': 'a [[mood]] cat\nneg: dog', 'pair.json': settings, 'alone.json': settings })
  const { packs } = await sidecar.get<Packs>('/api/packs')
  expect(packs.filter(({ source }) => source === 'user')).toMatchObject([
    { id: 'user/alone.json', files: ['alone.json'], promptCount: 0, problem: null },
    { id: 'user/pair.txt', files: ['pair.txt', 'pair.json'], promptCount: 1, problem: null },
  ])
  for (const id of ['user/pair.txt', 'user/pair.json'])
    expect(await packOf(sidecar, id)).toMatchObject({ id: 'user/pair.txt', jobCount: '3', settings: { steps: 7 } })
  const folder = join(sidecar.dataDir, 'packs')
  writeFileSync(join(folder, 'pair.json'), JSON.stringify({ slots: [{ text: 'of the json' }, { text: 'another' }] }))
  expect((await sidecar.get<Packs>('/api/packs')).packs[1]).toMatchObject({ promptCount: 2 })
  writeFileSync(join(folder, 'pair.json'), '{ "slots": [')
  expect((await sidecar.get<Packs>('/api/packs')).packs[1]?.problem?.message).toMatch(/^pair\.json: This is not JSON/)
})

test('what is wrong in a pack is told with its place, and stops only what it concerns', async () => {
  const sidecar = await withPacks({
    'flaws.txt': 'a { lone brace\n\na __colour__ cat\n\na (bad:12) dog',
    'wildcards/color.txt': 'red',
  })
  const { findings } = await packOf(sidecar, 'user/flaws.txt')
  expect(findings.map(({ severity, line, column, message }) => `${severity} ${line}:${column} ${message}`)).toEqual([
    'error 3:3 The wildcard list "colour" is missing.',
    'warning 1:3 This { has no } and stays as it is.',
    'warning 5:8 The weight 12 is out of range.',
  ])
  expect(findings[0]?.suggestion).toMatch(/Did you mean "color"\?/)
  await sidecar.queue('user/flaws.txt', { prompts: [0, 2] })
  expect((await pendingJobs(sidecar)).map(({ recipe }) => recipe.prompt)).toEqual(['a { lone brace', 'a (bad:12) dog'])
  const refused = await sidecar.request('/api/queue', { method: 'POST', body: JSON.stringify({ packId: 'user/flaws.txt' }) })
  expect([refused.status, await refused.json()]).toEqual([
    422,
    { code: 'pack_broken', message: expect.stringMatching(/^Prompt 2: The wildcard list "colour" is missing/) },
  ])
  const { jobs } = await sidecar.post<PackPreview>('/api/pack/preview', { packId: 'user/flaws.txt', drawSeed: 1 })
  expect(jobs.map(({ problem }) => problem !== null)).toEqual([false, true, false])
})

test('a matrix of 100 million is counted, previewed at its end, refused as a whole and queued in part', async () => {
  const values = Array.from({ length: 100 }, (_, at) => `v${at}`)
  const slots = ['a', 'b', 'c', 'd'].map((name) => ({ name, values }))
  const sidecar = await withPacks({ 'vast.json': { slots: [{ text: '[[a]] [[b]] [[c]] [[d]]' }], matrix: { slots } } })
  expect(await packOf(sidecar, 'user/vast.json')).toMatchObject({ jobCount: '100000000' })
  const choice = { packId: 'user/vast.json', drawSeed: 1 }
  const { jobs } = await sidecar.post<PackPreview>('/api/pack/preview', { ...choice, offset: 99_999_999 })
  expect(jobs.map(({ prompt }) => prompt)).toEqual(['v99 v99 v99 v99'])
  const refused = await sidecar.request('/api/queue', { method: 'POST', body: JSON.stringify(choice) })
  expect(await refused.json()).toEqual({
    code: 'too_large',
    message: 'This makes 100,000,000 jobs; at most 100,000 can be queued at once. Choose some of the prompts, or set a limit.',
  })
  expect(await pendingJobs(sidecar)).toEqual([])

  // Nobody waits for seconds meanwhile.
  let slowest = 0
  let done = false
  const queued = sidecar.queue('user/vast.json', { drawSeed: 1, limit: 100_000 }).finally(() => (done = true))
  while (!done) {
    const began = performance.now()
    await sidecar.get('/api/images')
    slowest = Math.max(slowest, performance.now() - began)
  }
  expect(await queued).toHaveLength(100_000)
  expect((await sidecar.get<Queue>('/api/queue')).pendingTotal).toBe(100_000)
  console.log(`100,000 jobs queued; meanwhile another request took ${Math.round(slowest)} ms at most`)
  expect(slowest).toBeLessThan(1000)
}, 120_000)

test('a sweep crosses the prompts and keeps their seeds; the value is kept with the job', async () => {
  const sidecar = await withPacks({ 'two.txt': 'a cat\n\na dog' })
  await sidecar.queue('user/two.txt', {
    sweeps: [
      { key: 'cfgScale', values: [4, 5] },
      { key: 'steps', values: [2, 3] },
    ],
  })
  const jobs = await pendingJobs(sidecar)
  expect(jobs.map(({ recipe }) => `${recipe.prompt} ${recipe.cfgScale} ${recipe.steps}`)).toEqual(
    ['a cat', 'a dog'].flatMap((prompt) => ['4 2', '4 3', '5 2', '5 3'].map((values) => `${prompt} ${values}`)),
  )
  expect(new Set(jobs.map(({ recipe }) => `${recipe.prompt} ${recipe.seed}`)).size).toBe(2)
  expect(jobs[1]?.recipe.chosen).toEqual({ sweep: { cfgScale: '4', steps: '3' } })
  const page = await sidecar.get<ImagePage>('/api/images')
  expect(page.total).toBe(0)
})

/** Of the sidecar, in MB, at most so far. */
const peakMb = ({ child }: RunningSidecar): number =>
  Math.round(Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024)

test.runIf(process.platform === 'linux')(
  'a pack of 100 MB is listed, counted, previewed and queued in part in bounded memory',
  async () => {
    const block =
      'a lighthouse on a cliff, storm clouds, {oil painting|ink}, (dramatic light:1.2), very detailed\nneg: people, text\n\n'
    const prompts = Math.floor((100 * 2 ** 20) / block.length)
    const sidecar = await withPacks({ 'large.txt': block.repeat(prompts), 'small.txt': 'a cat' })
    const before = peakMb(sidecar)
    const figures: string[] = []
    const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      const began = performance.now()
      const result = await work()
      figures.push(`${what} ${((performance.now() - began) / 1000).toFixed(1)} s`)
      return result
    }
    const { packs } = await timed('list', () => sidecar.get<Packs>('/api/packs'))
    expect(packs.find(({ name }) => name === 'large')).toMatchObject({ promptCount: prompts, problem: null })
    await timed('list again', () => sidecar.get<Packs>('/api/packs'))
    const pack = await timed('page', () => packOf(sidecar, 'user/large.txt'))
    expect([pack.jobCount, pack.prompts.length]).toEqual([String(prompts), 2000])
    const choice = { packId: 'user/large.txt', drawSeed: 1, offset: prompts - 1 }
    const { jobs } = await timed('preview', () => sidecar.post<PackPreview>('/api/pack/preview', choice))
    expect(jobs).toMatchObject([{ promptIndex: prompts - 1, problem: null }])
    await timed('queue 1,000', () => sidecar.queue('user/large.txt', { limit: 1000 }))
    const peak = peakMb(sidecar)
    console.log(
      `100 MB, ${prompts.toLocaleString('en')} prompts: ${figures.join(', ')}; memory ${before} MB before, ${peak} MB at most`,
    )
    expect(peak).toBeLessThan(2000)
  },
  120_000,
)
