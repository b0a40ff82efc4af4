import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sweep } from '../../../src-sidecar/contract/pack.ts'
import { parseFiles } from '../../../src-sidecar/packs/load-pack.ts'
import { allJobs, type JobChoice, packJobs } from '../../../src-sidecar/packs/pack-jobs.ts'

const pack = (content: object) => {
  const files = [{ name: 'a.json', bytes: new TextEncoder().encode(JSON.stringify(content)) }]
  const summary = {
    id: 'user/a.json',
    name: 'a',
    source: 'user' as const,
    path: '/a.json',
    files: ['a.json'],
    promptCount: 0,
    problem: null,
  }
  return { summary, files, content: parseFiles(files), wildcards: new Map([['hat', ['cap', 'hood', 'crown']]]) }
}
const choice = (more: Partial<JobChoice> = {}): JobChoice => ({ drawSeed: 1, sweeps: [], ...more })

describe('settings of a job', () => {
  const owls = pack({
    slots: [{ text: 'a cat' }],
    txt2img: { steps: 9, seed: 5, cfg_scale: 5.0000000000000036, width: 'wide', scheduler: ' Karras ' },
  })

  test('are those of the pack that can be read, below what is asked for, below what is swept', () => {
    const job = packJobs(owls, choice({ settings: { steps: 20, height: 64 }, sweeps: [{ key: 'height', values: [128] }] })).at(0n)
    expect(job).toMatchObject({
      seed: 5,
      settings: { steps: 20, cfgScale: 5, scheduler: 'Karras', height: 128 },
      chosen: { sweep: { height: '128' } },
    })
    expect(job.settings).not.toHaveProperty('width')
  })

  test('name checkpoint, hires fix and refiner where they are switched on; "None" names nothing', () => {
    const txt2img = {
      model: 'dream [a1b2c3]',
      vae: 'None',
      clip_skip: 2,
      enable_hr: true,
      hr_scale: 1.5,
      hr_upscaler: 'Latent',
      hr_second_pass_steps: 12,
      denoising_strength: 0.28354978354978355,
      use_refiner: true,
      refiner_checkpoint: 'fine',
      refiner_switch_at: 80.17,
    }
    expect(packJobs(pack({ slots: [{ text: 'a cat' }], txt2img }), choice()).at(0n).settings).toEqual({
      checkpoint: 'dream [a1b2c3]',
      clipSkip: 2,
      hires: { scale: 1.5, upscaler: 'Latent', steps: 12, denoisingStrength: 0.284 },
      refiner: { checkpoint: 'fine', switchAt: 0.802 },
    })
    const off = { ...txt2img, model: '', enable_hr: false, use_refiner: false }
    expect(packJobs(pack({ slots: [{ text: 'a cat' }], txt2img: off }), choice()).at(0n).settings).toEqual({ clipSkip: 2 })
  })

  test('can not be swept over what they can not be', () => {
    expect(() => packJobs(owls, choice({ sweeps: [{ key: 'steps', values: [1, 'many'] }] }))).toThrow(
      /The sweep of steps can't take "many"/,
    )
    expect(() => packJobs(owls, choice({ prompts: [3] }))).toThrow('The pack "a" has 1 prompts; there is none with index 3.')
  })
})

test('a prompt that is chosen alone has the turns that it has among all', () => {
  const matrix = { mode: 'sequential', slots: [{ name: 's', values: ['x', 'y', 'z'] }] }
  const three = pack({ slots: [{ text: '1 [[s]]' }, { text: '2 [[s]]' }, { text: '3 [[s]]' }], matrix })
  const jobs = packJobs(three, choice({ prompts: [2, 1] }))
  expect([jobs.at(0n), jobs.at(1n)].map(({ prompt, promptIndex }) => `${promptIndex} ${prompt}`)).toEqual(['2 3 z', '1 2 y'])
})

test('too many, or too much text, is told with the number and what to do', async () => {
  const matrix = { slots: [{ name: 's', values: Array.from({ length: 20 }, (_, at) => at) }] }
  const jobs = packJobs(pack({ slots: [{ text: '[[s]]' }], matrix }), choice())
  await expect(allJobs(jobs, 19, async () => {})).rejects.toMatchObject({
    code: 'too_large',
    message: 'This makes 20 jobs; at most 19 can be queued at once. Choose some of the prompts, or set a limit.',
  })
  expect(await allJobs(jobs, 20, async () => {})).toHaveLength(20)
  const long = { ...jobs, count: 10_000n, at: () => ({ ...jobs.at(0n), prompt: 'x'.repeat(90_000) }) }
  await expect(allJobs(long, 100_000, async () => {})).rejects.toMatchObject({ code: 'too_large' })
})

const sweep = fc.oneof(
  fc.record({
    key: fc.constant<Sweep['key']>('steps'),
    values: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    key: fc.constant<Sweep['key']>('cfgScale'),
    values: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
  }),
)

test('any choice of any pack has as many jobs as its count, the same for the same seed, each to be had alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a cat', 'a [[s]] __hat__', '{a|b} [[t]]', '[[s]] [[t]]'), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('fanout', 'sequential', 'rotate', 'random'),
      fc.array(sweep, { maxLength: 2 }),
      fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
      fc.nat(),
      async (texts, mode, sweeps, limit, drawSeed) => {
        const slots = texts.map((text) => ({ text }))
        const matrix = {
          mode,
          slots: [
            { name: 's', values: [1, 2] },
            { name: 't', values: [1, 2, 3] },
          ],
        }
        const asked = choice({ sweeps, drawSeed, ...(limit && { limit }) })
        const jobs = packJobs(pack({ slots, matrix }), asked)
        const all = await allJobs(jobs, 10_000, async () => {})
        expect(BigInt(all.length)).toBe(jobs.count)
        const again = packJobs(pack({ slots, matrix }), asked)
        for (const index of [0, all.length - 1]) expect(again.at(BigInt(index))).toEqual(all[index])
        if (limit)
          expect(all).toEqual(
            (await allJobs(packJobs(pack({ slots, matrix }), { ...asked, limit: 10_000 }), 10_000, async () => {})).slice(
              0,
              limit,
            ),
          )
      },
    ),
    { numRuns: 200 },
  )
})
