import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Image } from '../../../src-sidecar/contract/image.ts'
import { type Facet, type ImageSearch, imageSorts } from '../../../src-sidecar/contract/image-search.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { FacetCounts } from '../../../src-sidecar/history/search/facet-counts.ts'
import { facetsOf } from '../../../src-sidecar/history/search/image-terms.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newJob } from '../jobs/queue-fixture.ts'

let database: Database
let store: ImageStore
let jobs: JobStore
let count = 0
const noon = new Date(2026, 0, 5, 12).getTime()
const dayMs = 86_400_000

beforeEach(async () => {
  database = (await newDatabase()).database
  store = new ImageStore(database)
  jobs = new JobStore(database)
})
afterEach(() => void database.close())

interface Made {
  readonly prompt?: string
  readonly negativePrompt?: string
  readonly checkpoint?: string
  readonly samplerName?: string
  readonly mood?: string
  readonly packName?: string
  readonly promptIndex?: number
  readonly width?: number
  readonly height?: number
  readonly durationMs?: number
  readonly createdAtMs?: number
  readonly seed?: number
  readonly rating?: number | null
  readonly tags?: readonly string[]
}

function add({
  packName = 'cats',
  promptIndex = 0,
  checkpoint = 'model',
  rating = null,
  tags = [],
  mood,
  ...made
}: Made = {}): Image {
  const { prompt = 'a cat', negativePrompt = '', samplerName = 'Euler a', ...about } = made
  const job = newJob({ prompt, negativePrompt, samplerName, ...(mood && { chosen: { slots: { mood } } }) }, promptIndex)
  const jobId = jobs.add([{ ...job, packName }], 0)[0]!
  const file = { path: `/images/${count++}.png`, sizeBytes: 1, parameters: '', backend: 'GPU' }
  const used = { width: 512, height: 512, durationMs: 1000, createdAtMs: noon, seed: 1, checkpoint, ...about }
  const { id } = store.add({ jobId, imageIndex: 0, stage: 0, intermediate: false, ...file, ...used })
  if (rating !== null) store.rate(id, rating, 0)
  if (tags.length > 0) store.setTags(id, tags)
  return store.get(id)!
}

const search = (more: Partial<ImageSearch>): ImageSearch => ({ text: '', facets: {}, ...more })
const found = (more: Partial<ImageSearch>) => store.finder.page(search(more), 'newest', 200).imageIds

/** What a search means, said without an index. */
function matches(image: Image, { text, facets, seed, from, to }: ImageSearch): boolean {
  const words =
    `${image.recipe.prompt} ${image.recipe.negativePrompt}`
      .normalize('NFD')
      .replaceAll(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  const plain = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '')
  const has = (given: string, isLast: boolean, word = plain(given)) =>
    words.some((one) => (isLast && word.length > 1 ? one.startsWith(word) : one === word))
  const own = facetsOf(image)
  const day = new Date(image.createdAtMs).toLocaleDateString('sv')
  return (
    text
      .split(' ')
      .filter(Boolean)
      .every((word, at, all) =>
        word.startsWith('-') ? !has(word.slice(1), at === all.length - 1) : has(word, at === all.length - 1),
      ) &&
    Object.entries(facets).every(
      ([name, values]) => values.length === 0 || values.some((value) => own.some(([of, one]) => of === name && one === value)),
    ) &&
    (seed === undefined || image.seed === seed) &&
    (from === undefined || day >= from) &&
    (to === undefined || day <= to)
  )
}

const sortKey: Record<(typeof imageSorts)[number], (image: Image) => number> = {
  newest: (image) => image.createdAtMs,
  oldest: (image) => -image.createdAtMs,
  rating: (image) => image.rating ?? 0,
  largest: (image) => image.width * image.height,
  longest: (image) => Number((image.durationMs / 1000).toPrecision(2)),
}

const words = ['red', 'redwood', 'blue', 'cat', 'x', 'castle', 'castles', 'éclair']
const anImage = fc.record({
  prompt: fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((some) => some.join(' ')),
  negativePrompt: fc.constantFrom('', 'blurry', 'cat'),
  checkpoint: fc.constantFrom('a.safetensors', 'b.safetensors', ''),
  samplerName: fc.constantFrom('Euler', 'Euler a', 'DPM++ 2M'),
  mood: fc.constantFrom(undefined, 'calm', 'calm: "wild"'),
  packName: fc.constantFrom('cats', 'dogs OR cats'),
  promptIndex: fc.integer({ min: 0, max: 2 }),
  width: fc.constantFrom(256, 512, 1024),
  height: fc.constantFrom(256, 512),
  durationMs: fc.integer({ min: 0, max: 400_000 }),
  createdAtMs: fc.integer({ min: 0, max: 5 }).map((day) => noon + day * dayMs),
  seed: fc.integer({ min: 0, max: 3 }),
  rating: fc.option(fc.integer({ min: 1, max: 5 })),
  tags: fc.subarray(['print', 'cover']),
})
const aSearch: fc.Arbitrary<ImageSearch> = fc.record(
  {
    text: fc
      .array(fc.tuple(fc.constantFrom('', '', '-'), fc.constantFrom(...words, 're', 'nothing', 'cast', 'castl', 'ecla')), {
        maxLength: 3,
      })
      .map((some) => some.map((word) => word.join('')).join(' ')),
    facets: fc.record(
      {
        model: fc.subarray(['a.safetensors', 'b.safetensors', 'never.safetensors']),
        sampler: fc.subarray(['Euler', 'Euler a']),
        slot: fc.subarray(['mood: calm', 'mood: calm: "wild"']),
        pack: fc.subarray(['dogs OR cats']),
        row: fc.subarray(['cats #1', 'cats #2', 'dogs OR cats #3', 'cats #9']),
        rating: fc.subarray(['0', '1', '2', '3', '4', '5']),
        tag: fc.subarray(['print', 'cover']),
        duration: fc.subarray(['under 2 s', 'over 5 min']),
      },
      { requiredKeys: [] },
    ),
    seed: fc.integer({ min: 0, max: 3 }),
    from: fc.constantFrom('2026-01-04', '2026-01-06'),
    to: fc.constantFrom('2026-01-07', '2026-01-09'),
  },
  { requiredKeys: ['text', 'facets'] },
)

const inAnyOrder = ({ values, ...facet }: Facet) => ({
  ...facet,
  values: values.toSorted((a, b) => a.value.localeCompare(b.value)),
})

describe('a search', () => {
  test('finds what it means, whatever is put together, in each order, page after page, without hole or double', () => {
    let all: Image[] = []
    fc.assert(
      fc.property(
        fc.array(anImage, { minLength: 5, maxLength: 30 }),
        fc.array(aSearch, { minLength: 4, maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        (images, searches, limit) => {
          database.exec('SAVEPOINT trial')
          all = images.map(add)
          for (const one of searches) {
            const expected = all.filter((image) => matches(image, one)).map(({ id }) => id)
            expect(store.finder.total(one)).toEqual({ total: expected.length, isLeast: false })
            for (const sort of imageSorts) {
              const ids: number[] = []
              let after: string | undefined
              do {
                const page = store.finder.page(one, sort, limit, after)
                expect(page.imageIds.length).toBeLessThanOrEqual(limit)
                ids.push(...page.imageIds)
                after = page.next ?? undefined
              } while (after !== undefined)
              expect(ids.toSorted((a, b) => a - b)).toEqual(expected)
              const keys = store.all(ids).map(sortKey[sort])
              expect(keys).toEqual(keys.toSorted((a, b) => b - a))
            }
          }
          database.exec('ROLLBACK TO trial; RELEASE trial')
        },
      ),
      { numRuns: 20 },
    )
  })

  test('counts each value of a facet among what the rest of the search finds', () => {
    fc.assert(
      fc.property(fc.array(anImage, { maxLength: 25 }), aSearch, (images, asked) => {
        database.exec('SAVEPOINT trial')
        const all = images.map(add)
        const { facets, countedNewest } = store.facets.of(asked)
        expect(countedNewest).toBeNull()
        // By a search for each facet, as where all choices are frequent.
        const apart = new FacetCounts(database, store.finder, { readForEach: -1 }).of(asked)
        expect(apart.facets.map(inAnyOrder)).toEqual(facets.map(inAnyOrder))
        for (const name of ['model', 'sampler', 'rating', 'tag', 'slot', 'pack', 'row', 'duration'] as const) {
          const { [name]: own = [], ...others } = asked.facets
          const counts = new Map(own.map((value) => [value, 0]))
          for (const image of all.filter((one) => matches(one, { ...asked, facets: others })))
            for (const [of, value] of facetsOf(image)) if (of === name) counts.set(value, (counts.get(value) ?? 0) + 1)
          const values = facets.find((facet) => facet.name === name)?.values ?? []
          expect(new Map(values.map(({ value, count }) => [value, count]))).toEqual(counts)
        }
        database.exec('ROLLBACK TO trial; RELEASE trial')
      }),
      { numRuns: 40 },
    )
  })

  test('takes any text', () => {
    add({ prompt: 'a (red:1.2) fox, <lora:ink:0.8>' })
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'"-*():^{}ANDORTNE \0', 'neg:') })),
        (text) => {
          expect(store.finder.page(search({ text }), 'newest', 10).imageIds.length).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each<[string, string, string]>([
    ['the beginning of a word', 'mount', 'a mountain lake'],
    ['words in any order', 'lake mount', 'a mountain lake'],
    ['a phrase', '"mountain lake"', 'a mountain lake'],
    ['a word in brackets with a weight', 'red', 'a (red:1.2) fox'],
    ['another case and accent', 'ECLAIR', 'un éclair'],
    ['a part of Japanese text', '山の', '静かな山の湖'],
    ['a Cyrillic word', 'замок', 'старый замок'],
    ['a LoRA by its name', 'ink', 'a fox <lora:ink-wash:0.8>'],
  ])('finds %s', (_, text, prompt) => {
    const { id } = add({ prompt })
    add({ prompt: 'something else' })
    expect(found({ text })).toEqual([id])
  })

  test('looks into the negative prompt too, or only there', () => {
    const without = add({ prompt: 'a fox', negativePrompt: 'people' })
    const withThem = add({ prompt: 'people' })
    expect(found({ text: 'people' })).toEqual([withThem.id, without.id])
    expect(found({ text: 'neg:people' })).toEqual([without.id])
    expect(found({ text: '-neg:people' })).toEqual([withThem.id])
  })

  test('is not led astray by a prompt that looks like a term of the index', () => {
    add({ prompt: '\ue000 \u{f0001} \u{f0002} \u{f0003}', checkpoint: '' })
    const { id } = add({ checkpoint: 'x' })
    expect(found({ facets: { model: ['x'] } })).toEqual([id])
  })

  test('knows a new rating, new tags and what is taken back at once', () => {
    const { id } = add()
    const other = add()
    store.rate(id, 5, 0)
    store.setTags(id, ['print'])
    expect(found({ facets: { rating: ['5'], tag: ['print'] } })).toEqual([id])
    store.rate(id, null, 0)
    store.setTags(id, [])
    expect(found({ facets: { rating: ['5'] } })).toEqual([])
    expect(found({ facets: { rating: ['0'] } })).toEqual([other.id, id])
    expect(store.facets.of(search({})).facets.find(({ name }) => name === 'tag')).toBeUndefined()
  })

  test('counts a value once that comes of two slots, however often the image changes', () => {
    const job = newJob({ chosen: { slots: { a: 'b: c', 'a: b': 'c' } } })
    const about = { ...add(), jobId: jobs.add([job], 0)[0]!, path: '/images/slots.png' }
    const { id } = store.add(about)
    const slots = () => store.facets.of(search({})).facets.find(({ name }) => name === 'slot')?.values
    expect(slots()).toEqual([{ value: 'a: b: c', count: 1 }])
    store.rate(id, 4, 0)
    store.rate(id, 5, 0)
    expect(slots()).toEqual([{ value: 'a: b: c', count: 1 }])
    store.forget(id)
    expect(slots()).toBeUndefined()
  })

  test('leaves out what a later stage went on with, until that is what there is', () => {
    const { id, jobId } = add({ prompt: 'a red fox' })
    const first = store.get(id)!
    const second = store.add({ ...first, stage: 1, path: '/images/second.png' })
    expect(found({ text: 'fox' })).toEqual([second.id])
    expect(store.facets.of(search({})).facets.find(({ name }) => name === 'pack')?.values).toEqual([{ value: 'cats', count: 1 }])
    store.forget(second.id)
    database.exec(`UPDATE jobs SET ended_at_ms = 1, images_wanted = 2 WHERE id = ${jobId}`)
    expect(store.settleStages().map((image) => image.id)).toEqual([id])
    expect(found({ text: 'fox' })).toEqual([id])
  })

  test('knows which prompt of its pack an image is of, and of an import or a single picture that there is none', () => {
    const { id } = add({ promptIndex: 4 })
    add({ packName: 'dogs', promptIndex: 4 })
    const other = add()
    database.prepare(`UPDATE jobs SET pack_id = 'import/x', prompt_index = 0 WHERE id = ?`).run(other.jobId)
    expect(store.get(other.id)?.promptIndex).toBeNull()
    expect(found({ facets: { row: ['cats #5'] } })).toEqual([id])
    store.rate(other.id, 1, 0)
    expect(found({ facets: { row: ['cats #1'] } })).toEqual([])
  })

  test('has images without an index within reach after they were put in', () => {
    const ids = [add({ prompt: 'a red fox' }), add()].map(({ id }) => id)
    database.exec(`DELETE FROM image_terms; INSERT INTO image_words (image_words) VALUES ('delete-all');
      DELETE FROM facet_values; UPDATE images SET is_indexed = 0`)
    expect(found({})).toEqual([])
    expect([store.indexMissing(1), store.indexMissing(10), store.indexMissing(10)]).toEqual([true, false, false])
    expect(found({})).toEqual(ids.toReversed())
    expect(found({ text: 'fox' })).toEqual([ids[0]])
  })
})
