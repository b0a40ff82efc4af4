import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseCommandLine, type RunCommand } from '../../../src-sidecar/cli/command-line.ts'
import { planRun, printPlan } from '../../../src-sidecar/cli/plan-run.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const command = (...args: string[]): RunCommand =>
  parseCommandLine(['run', ...args], { out: () => {}, error: () => {} }) as RunCommand

const matrix = { slots: [{ name: 'mood', values: ['soft', 'harsh'] }] }

function folder(files: Readonly<Record<string, string>>): string {
  const path = tempDir('packs')
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

async function plan(pack: string, ...args: string[]): Promise<string> {
  let text = ''
  await printPlan(await planRun(command(pack, '--dry-run', ...args), tempDir('none')), args.includes('--json'), async (block) => {
    text += block
    return true
  })
  return text
}

describe('run --dry-run', () => {
  test('prints every job of a pair, crossed with the sweep, with the wildcards beside the pack', async () => {
    const path = folder({
      'a.txt': 'a [[mood]] __animal__\nneg: dog',
      'a.json': JSON.stringify({ matrix }),
      'wildcards/animal.txt': 'fox',
    })
    expect(await plan(join(path, 'a.json'), '--seed', '7', '--sweep', 'cfg_scale=4..5:1', '--limit', '3')).toBe(`a: 3 jobs

prompt 1 · seed 7 · mood=soft · animal=fox · cfgScale=4
  a soft fox
  neg: dog

prompt 1 · seed 7 · mood=soft · animal=fox · cfgScale=5
  a soft fox
  neg: dog

prompt 1 · seed 7 · mood=harsh · animal=fox · cfgScale=4
  a harsh fox
  neg: dog
`)
  })

  test('with --json prints a line for each job, with its settings', async () => {
    const path = folder({
      'a.json': JSON.stringify({ slots: [{ text: 'a cat' }], txt2img: { steps: 9 }, pipeline: { images_per_prompt: 3 } }),
    })
    const lines = (await plan(join(path, 'a.json'), '--json', '--set', 'txt2img.width=512', '--set', 'steps=30'))
      .trim()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { promptIndex: 0, prompt: 'a cat', negativePrompt: '', chosen: {}, settings: { steps: 30, width: 512 }, images: 3 },
    ])
  })

  test('of 100 million jobs prints as long as somebody reads', async () => {
    const values = Array.from({ length: 100 }, (_, at) => at)
    const slots = ['a', 'b', 'c', 'd'].map((name) => ({ name, values }))
    const path = folder({ 'a.json': JSON.stringify({ slots: [{ text: '[[a]] [[b]] [[c]] [[d]]' }], matrix: { slots } }) })
    let [blocks, text] = [0, '']
    await printPlan(await planRun(command(join(path, 'a.json'), '--dry-run'), path), false, async (block) => {
      text ||= block
      return ++blocks < 3
    })
    expect(blocks).toBe(3)
    expect(text).toMatch(/^a: 100,000,000 jobs\n/)
  })
})

test.each([
  [['--set', 'cfg=7'], '"cfg=7" sets nothing that is known. Write name=value; the names are steps,'],
  [['--set', 'step=7'], 'Did you mean "steps"?'],
  [['--set', 'steps=many'], 'steps can\'t be "many"'],
  [['--set', 'upscale.upscaler='], "The settings of upscale (a value is out of range or missing) can't be used."],
  [['--set', 'upscale.model=x'], '"upscale.model=x" sets nothing that is known.'],
  [['--set', 'img2img.denoising_strength=2'], 'The settings of img2img'],
  [['--set', 'steps=0'], 'steps can\'t be "0"'],
  [['--sweep', 'steps=9..4:1'], '"9..4:1" is no range. Write from..to:step, as 4..9:1'],
  [['--sweep', 'steps=1..9:0'], 'is no range'],
  [['--sweep', 'steps=5,x'], 'steps can\'t be "x"'],
])('run %j says what is wrong', async (args, message) => {
  const path = folder({ 'a.txt': 'a cat' })
  await expect(planRun(command(join(path, 'a.txt'), '--dry-run', ...args), path)).rejects.toMatchObject({
    code: 'bad_request',
    message: expect.stringContaining(message),
  })
})

test('a sweep of 0.1 to 0.5 has the numbers that were meant', async () => {
  const path = folder({ 'a.txt': 'a cat' })
  const { jobs } = await planRun(command(join(path, 'a.txt'), '--dry-run', '--sweep', 'cfg_scale=0.1..0.5:0.1'), path)
  expect(Array.from({ length: Number(jobs.count) }, (_, index) => jobs.at(BigInt(index)).settings.cfgScale)).toEqual([
    0.1, 0.2, 0.3, 0.4, 0.5,
  ])
})

test('run without --out and without --dry-run says what is missing', () => {
  let error = ''
  expect(parseCommandLine(['run', 'a.txt'], { out: () => {}, error: (text) => (error += text) })).toEqual({
    kind: 'said',
    exitCode: 2,
  })
  expect(error).toMatch(/required option '--out <folder>' not specified/)
})

test('--set reaches every setting that a pack can have, over what it has, and switches a stage on', async () => {
  const path = folder({
    'a.json': JSON.stringify({
      pack_data: { slots: [{ text: 'a cat' }] },
      preset_data: { upscale: { upscaler: 'Lanczos', upscaling_resize: 3 }, pipeline: { filename_pattern: '[seed]' } },
    }),
  })
  const set = [
    'img2img.denoising_strength=0.2',
    'upscale.upscaling_resize=4',
    'pipeline.image_format=webp',
    'txt2img.steps=7',
    'pipeline.n_iter=3',
  ]
  const { jobs, images } = await planRun(
    command(join(path, 'a.json'), '--dry-run', ...set.flatMap((one) => ['--set', one])),
    path,
  )
  expect(images).toBe(3)
  expect(jobs.at(0n).settings).toEqual({
    steps: 7,
    filePattern: '[seed]',
    fileFormat: 'webp',
    stages: [
      { as: 'img2img', denoisingStrength: 0.2, keepInput: false },
      { as: 'upscale', upscaler: 'Lanczos', scale: 4, keepInput: false },
    ],
  })
})
