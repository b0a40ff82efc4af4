import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { settingsOfPicture } from '../../src-sidecar/history/picture-settings.ts'
import { readPngText } from '../../src-sidecar/history/png-text.ts'
import { parsePack } from '../../src-sidecar/packs/parse-pack.ts'
import { projectFolder, spawnMain } from '../helpers/sidecar.ts'
import { liveDescendants, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const baseline = takeBaseline()
const example = join(projectFolder, 'resources/packs/tiny worlds.txt')

afterEach(() => baseline.expectNothingLeft())

const pngs = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.png')) : [])

function run(pack: string, more: readonly string[] = []) {
  const [out, dataDir] = [tempDir('out'), tempDir('data')]
  return { out, dataDir, ...spawnMain(['run', pack, '--out', out, '--data-dir', dataDir, ...more], 'ignore') }
}

test('run writes one PNG a prompt with its parameters, a line for each, and exits with 0', async () => {
  const { out, dataDir, ended, output } = run(example)
  expect((await ended).code).toBe(0)
  const { prompts } = parsePack(readFileSync(example))
  const files = pngs(out).toSorted()
  expect(files).toHaveLength(prompts.length)
  for (const [index, file] of files.entries()) {
    const parameters = readPngText(readFileSync(join(out, file)), 'parameters')
    expect(parameters).toContain(prompts[index]!.prompt)
    expect(parameters).toContain(`Negative prompt: ${prompts[index]!.negativePrompt}`)
    expect(output()).toContain(file)
  }
  // Once, although events go on while everything ends.
  expect(output().split(`${prompts.length} of ${prompts.length} images`)).toHaveLength(2)
  expect(readdirSync(out).filter((name) => name !== 'manifests')).toHaveLength(prompts.length)
  const manifests = readdirSync(join(out, 'manifests'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  expect(manifests).toHaveLength(prompts.length)
  expect(readdirSync(join(dataDir, 'runs'))).toEqual([])
})

test('the same seed gives the same file twice, and neither replaces the other', async () => {
  const pack = join(tempDir('pack'), 'one.txt')
  writeFileSync(pack, 'a red fox\n')
  const out = tempDir('out')
  for (let time = 0; time < 2; time++) {
    const { ended } = spawnMain(['run', pack, '--out', out, '--data-dir', tempDir('data'), '--seed', '7'], 'ignore')
    expect((await ended).code).toBe(0)
  }
  const [first, second, ...more] = pngs(out)
  expect(more).toEqual([])
  expect(readFileSync(join(out, first!)).equals(readFileSync(join(out, second!)))).toBe(true)
})

test.each([
  ['a missing pack', () => join(tempDir('pack'), 'none.txt'), /none\.txt/],
  [
    'a broken pack',
    () => {
      const path = join(tempDir('pack'), 'broken.txt')
      writeFileSync(path, 'fine\n\nneg: nothing else\n')
      return path
    },
    /line 3/,
  ],
])('%s is one clear line and exit code 2', async (_name, pack, line) => {
  const { ended, output, out } = run(pack())
  expect((await ended).code).toBe(2)
  expect(output().trim().split('\n')).toHaveLength(1)
  expect(output()).toMatch(line)
  expect(readdirSync(out)).toEqual([])
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s in the middle ends it all with exit code %i; what was saved stays whole', async (signal, code) => {
  const { child, ended, out, dataDir } = run(example, ['--draft-args', '--step-ms 60'])
  await waitFor(() => pngs(out).length >= 1, 'the first image', { ms: 20_000 })
  expect(liveDescendants().length).toBeGreaterThan(1)
  const before = performance.now()
  child.kill(signal)
  const end = await ended
  expect(end.code).toBe(code)
  expect(end.at - before).toBeLessThan(5000)
  await baseline.expectNothingLeft()
  for (const file of pngs(out)) expect(readPngText(readFileSync(join(out, file)), 'parameters')).not.toBeNull()
  expect(readdirSync(out).filter((name) => name !== 'manifests' && !/\.png$/.test(name))).toEqual([])
  expect(readdirSync(join(dataDir, 'runs'))).toEqual([])
})

test('run with --watch-stdin ends when its stdin does', async () => {
  const [out, dataDir] = [tempDir('out'), tempDir('data')]
  const args = ['run', example, '--out', out, '--data-dir', dataDir, '--watch-stdin', '--draft-args', '--step-ms 200']
  const { child, ended } = spawnMain(args)
  await waitFor(() => liveDescendants().length > 2, 'the engine', { ms: 20_000 })
  child.stdin?.end()
  expect((await ended).code).not.toBe(0)
  await baseline.expectNothingLeft()
})

test('run makes what --dry-run has printed: a .json pack with its matrix and settings, a sweep and a limit', async () => {
  const pack = join(tempDir('pack'), 'owls.json')
  const matrix = { slots: [{ name: 'mood', values: ['soft', 'harsh'] }] }
  writeFileSync(
    pack,
    JSON.stringify({ slots: [{ text: 'a [[mood]] owl' }], matrix, txt2img: { steps: 3, width: 64, height: 64 } }),
  )
  const more = ['--seed', '7', '--sweep', 'cfg_scale=4..5:1', '--limit', '3']
  const dry = run(pack, ['--dry-run', '--json', ...more])
  expect((await dry.ended).code).toBe(0)
  expect([pngs(dry.out), existsSync(join(dry.dataDir, 'runs'))]).toEqual([[], false])
  const printed = dry
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(printed.map(({ prompt, settings }) => `${prompt} ${settings.cfgScale}`)).toEqual([
    'a soft owl 4',
    'a soft owl 5',
    'a harsh owl 4',
  ])

  const { ended, out, output } = run(pack, more)
  expect((await ended).code, output()).toBe(0)
  const made = pngs(out).map((name) => readPngText(readFileSync(join(out, name)), 'parameters') ?? '')
  expect(
    made
      .map(
        (text) =>
          `${text.split('\n')[0]} ${/CFG scale: (\d+)/.exec(text)?.[1]} ${/Steps: (\d+)/.exec(text)?.[1]} ${/Seed: (\d+)/.exec(text)?.[1]}`,
      )
      .sort(),
  ).toEqual(printed.map(({ prompt, settings }) => `${prompt} ${settings.cfgScale} 3 7`).sort())
})

test('run with --json tells programs what it makes; stages, format and backend come from the command line', async () => {
  const pack = join(tempDir('pack'), 'one.txt')
  writeFileSync(pack, 'a red fox\n')
  const set = [
    'upscale.upscaler=Lanczos',
    'pipeline.image_format=webp',
    'pipeline.save_intermediates=true',
    'width=64',
    'height=64',
  ]
  const { out, ended, output } = run(pack, [
    '--json',
    '--backend',
    'draft',
    '--seed',
    '5',
    ...set.flatMap((one) => ['--set', one]),
  ])
  expect((await ended).code).toBe(0)
  const lines = output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  const file = join(out, 'one-001-5.webp')
  expect(lines).toMatchObject([
    { event: 'begin', jobs: 1, images: 1 },
    { event: 'image', file, seed: 5, width: 128, stage: 'upscale', isWhole: true },
    { event: 'end', saved: 1, images: 1, failures: [] },
  ])
  expect(settingsOfPicture(readFileSync(file))).toMatchObject({ prompt: 'a red fox', seed: 5 })
  expect(existsSync(join(out, 'one-001-5-1-txt2img.webp'))).toBe(true)
})
