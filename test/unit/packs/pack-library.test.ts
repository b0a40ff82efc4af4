import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadPack } from '../../../src-sidecar/packs/load-pack.ts'
import { PackLibrary } from '../../../src-sidecar/packs/pack-library.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'

let examples: string
let own: string
let changes: number
let library: PackLibrary

beforeEach(() => {
  examples = tempDir('examples')
  own = tempDir('packs')
  changes = 0
  library = new PackLibrary(examples, own, () => changes++)
})

afterEach(async () => await library.stop())

const ids = async () => (await library.list()).packs.map(({ id }) => id)

describe('the list of packs', () => {
  test('has those of the user first, then the examples, by name', async () => {
    writeFileSync(join(examples, 'z.txt'), 'a cat')
    writeFileSync(join(own, 'b.txt'), 'a cat')
    writeFileSync(join(own, 'A.TXT'), 'a cat')
    writeFileSync(join(own, 'notes.md'), 'no pack')
    expect(await ids()).toEqual(['user/A.TXT', 'user/b.txt', 'example/z.txt'])
  })

  test('shows a broken file with its problem, and the others as ever', async () => {
    writeFileSync(join(own, 'broken.txt'), 'neg: only')
    writeFileSync(join(own, 'good.txt'), 'a cat\n\na dog')
    mkdirSync(join(own, 'folder.txt'))
    const { packs, userFolder } = await library.list()
    expect(userFolder).toBe(own)
    expect(packs).toEqual([
      {
        id: 'user/broken.txt',
        name: 'broken',
        source: 'user',
        path: join(own, 'broken.txt'),
        files: ['broken.txt'],
        promptCount: 0,
        problem: { line: 1, message: expect.any(String) },
      },
      expect.objectContaining({ id: 'user/folder.txt', problem: { line: null, message: 'This is not a file.' } }),
      expect.objectContaining({ id: 'user/good.txt', promptCount: 2, problem: null }),
    ])
  })

  test('refuses a file that is too large to be a pack, without reading it', async () => {
    writeFileSync(join(own, 'huge.txt'), 'a cat')
    truncateSync(join(own, 'huge.txt'), 129 * 2 ** 20)
    expect((await library.list()).packs[0]?.problem?.message).toMatch(/129 MB/)
  })

  test.runIf(process.platform !== 'win32')('does not wait for a pipe among the packs', async () => {
    execFileSync('mkfifo', [join(own, 'pipe.txt')])
    writeFileSync(join(own, 'good.txt'), 'a cat')
    // Whoever hangs in opening it holds a thread of the process for good: a writer lets it go.
    const listed = library.list()
    try {
      const problem = await Promise.race([
        listed.then(({ packs }) => packs.map((pack) => pack.problem?.message ?? 'good')),
        waitFor(() => false, 'the list', { ms: 2000 }),
      ])
      expect(problem).toEqual(['good', 'This is not a file.'])
    } finally {
      closeSync(openSync(join(own, 'pipe.txt'), constants.O_RDWR | constants.O_NONBLOCK))
    }
  })

  test('has .tsv files too, each row a prompt', async () => {
    writeFileSync(join(own, 'rows.tsv'), 'a cat\tblurry\na dog')
    writeFileSync(join(own, 'rows.txt'), 'a cat')
    expect(await ids()).toEqual(['user/rows.tsv', 'user/rows.txt'])
    expect((await library.open('user/rows.tsv')).content.prompts).toEqual([
      { index: 0, line: 1, prompt: 'a cat', negativePrompt: 'blurry' },
      { index: 1, line: 2, prompt: 'a dog', negativePrompt: '' },
    ])
  })

  test('shows a .txt and a .json of one name as one pack, and files of other names or endings for themselves', async () => {
    for (const name of ['a.txt', 'b.txt', 'b.tsv']) writeFileSync(join(own, name), 'a cat')
    for (const name of ['a.json', 'c.json', 'A.json']) writeFileSync(join(own, name), '{"txt2img": {"steps": 9}}')
    const { packs } = await library.list()
    expect(packs.map(({ files }) => files.join(' + ')).sort()).toEqual(['A.json', 'a.txt + a.json', 'b.tsv', 'b.txt', 'c.json'])
  })

  test('is anew only where a file was written, also when that leaves its size', async () => {
    for (let at = 0; at < 300; at++) writeFileSync(join(own, `${at}.json`), JSON.stringify({ slots: [{ text: `a cat ${at}` }] }))
    expect((await library.list()).packs).toHaveLength(300)
    writeFileSync(join(own, '7.json'), JSON.stringify({ slots: [{ text: '' }] }).padEnd(29))
    const began = performance.now()
    const { packs } = await library.list()
    expect(packs.filter(({ promptCount }) => promptCount === 0).map(({ name }) => name)).toEqual(['7'])
    expect(performance.now() - began).toBeLessThan(1000)
  })

  test('is empty where there is no folder', async () => {
    rmSync(own, { recursive: true })
    expect(await ids()).toEqual([])
  })
})

describe('one pack', () => {
  test('comes with its prompts', async () => {
    writeFileSync(join(own, 'my pack.v2.txt'), 'a cat\nneg: dog')
    expect(await library.open('user/my pack.v2.txt')).toMatchObject({
      summary: { name: 'my pack.v2', promptCount: 1, problem: null },
      content: { prompts: [{ index: 0, line: 1, prompt: 'a cat', negativePrompt: 'dog' }] },
    })
  })

  test('is not found where there is none', async () => {
    await expect(library.open('user/none.txt')).rejects.toMatchObject({ code: 'pack_not_found' })
    await expect(loadPack(own, ['none.txt'], 'user')).rejects.toMatchObject({ code: 'pack_not_found' })
  })

  test.each([
    'user/../secret.txt',
    'user/sub/secret.txt',
    'user//secret.txt',
    'user/..\\secret.txt',
    'user/sub\\secret.txt',
    '/etc/secret.txt',
    '../secret.txt',
    'other/secret.txt',
    'secret.txt',
    'user/',
    'user',
    '',
    'user/secret.md',
    '__proto__/secret.txt',
    'constructor/secret.txt',
  ])('is never one outside the folders: %s', async (id) => {
    const inner = new PackLibrary(examples, join(own, 'packs'), () => {})
    mkdirSync(join(own, 'packs', 'sub'), { recursive: true })
    for (const folder of ['.', 'packs/sub']) writeFileSync(join(own, folder, 'secret.txt'), 'a secret')
    await expect(inner.open(id)).rejects.toMatchObject({ code: 'pack_not_found' })
  })

  test('with a zero byte in its name is a broken one', async () => {
    expect((await library.open('user/a\0.txt')).summary.problem?.message).toMatch(/null bytes/)
  })
})

describe('the watch', () => {
  test('tells of a new, a changed and a deleted pack, and of nothing else', async () => {
    await library.start()
    writeFileSync(join(own, 'notes.md'), 'no pack')
    writeFileSync(join(own, 'new.txt'), 'a cat')
    await waitFor(() => changes === 1, 'the new pack')
    writeFileSync(join(own, 'new.txt'), 'a cat\n\na dog')
    await waitFor(() => changes === 2, 'the changed pack')
    rmSync(join(own, 'new.txt'))
    await waitFor(() => changes === 3, 'the deleted pack')
  })

  test('tells of both files of a pair', async () => {
    writeFileSync(join(own, 'pair.txt'), 'a cat')
    writeFileSync(join(own, 'pair.json'), '{}')
    await library.start()
    writeFileSync(join(own, 'pair.json'), '{"slots": []}')
    await waitFor(() => changes === 1, 'the changed .json')
    writeFileSync(join(own, 'pair.txt'), 'a dog')
    await waitFor(() => changes === 2, 'the changed .txt')
  })

  test('does not tell of what was there before', async () => {
    writeFileSync(join(own, 'old.txt'), 'a cat')
    await library.start()
    writeFileSync(join(own, 'new.txt'), 'a cat')
    await waitFor(() => changes > 0, 'the new pack')
    expect(changes).toBe(1)
  })

  test('starts where the folder is not there', async () => {
    rmSync(own, { recursive: true })
    await library.start()
  })

  test('ends before, during and after its start, and any number of times', async () => {
    await library.stop()
    expect(await library.closed).toEqual({ name: 'pack library' })
    await library.start()
    writeFileSync(join(own, 'late.txt'), 'a cat')

    const other = new PackLibrary(examples, own, () => changes++)
    const starting = other.start()
    await Promise.all([other.stop(), other.stop()])
    await starting
    await other.closed
    expect(changes).toBe(0)
  }, 5000)
})
