// npm run bench history: finding images among a million, beside what a plain implementation does (LIKE, OFFSET, count(*), GROUP BY).
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ImageSearch, ImageSort } from '../../src-sidecar/contract/image-search.ts'
import { History } from '../../src-sidecar/history/history.ts'
import { ImageArchive } from '../../src-sidecar/history/image-archive.ts'
import { ImageStore } from '../../src-sidecar/history/image-store.ts'
import { momentsPerMs } from '../../src-sidecar/history/search/image-index.ts'
import { UnfinishedImages } from '../../src-sidecar/history/unfinished-images.ts'
import { type Database, openDatabase } from '../../src-sidecar/store/database.ts'
import { machine, percentile } from '../helpers/bench-table.ts'
import { generateHistory } from '../helpers/generated-history.ts'

const endMs = Date.UTC(2026, 5, 1)
const repeats = 5
const pageSize = 120

/** What somebody types, letter by letter at the end, with and without filters: from what nearly all images have to what none has. */
const searches: readonly [string, Partial<ImageSearch>][] = [
  ['nothing', {}],
  ['a common word', { text: 'portrait' }],
  ['two letters', { text: 'po' }],
  ['three letters', { text: 'mis' }],
  ['what every image has', { text: 'highly detailed' }],
  ['two common words', { text: 'misty castle' }],
  ['a phrase', { text: '"mountain lake"' }],
  ['a rare word', { text: 'word15000' }],
  ['a word of the negative prompt', { text: 'neg:watermark' }],
  ['all without a word', { text: '-portrait' }],
  ['a model', { facets: { model: ['model-v1.safetensors'] } }],
  ['a word, a model, a sampler', { text: 'forest', facets: { model: ['model-v2.safetensors'], sampler: ['Euler a', 'Euler'] } }],
  ['a rare model and a common word', { text: 'portrait', facets: { model: ['model-v14.safetensors'] } }],
  ['a LoRA and a rating', { facets: { lora: ['style-3'], rating: ['4', '5'] } }],
  ['a slot value and a size', { facets: { slot: ['mood: mood 20'], size: ['1216×832'] } }],
  ['two that never meet', { text: 'word19000', facets: { pack: ['pack 80'] } }],
  ['days', { from: '2025-01-01', to: '2025-01-31' }],
  ['days and a word', { text: 'dragon', from: '2024-05-01', to: '2025-05-01' }],
  [
    'five facets',
    { facets: { model: ['model-v1.safetensors'], sampler: ['Euler a'], size: ['512×512'], backend: ['GPU 1'], rating: ['5'] } },
  ],
  ['a tag', { facets: { tag: ['cover'] } }],
]
const sorts: readonly ImageSort[] = ['newest', 'oldest', 'rating', 'largest', 'longest']

const whole = (search: Partial<ImageSearch>): ImageSearch => ({ text: '', facets: {}, ...search })

interface Took {
  readonly ms: number
  /** Of this process: what a busy machine does not change. */
  readonly cpuMs: number
}

function timed(work: () => void): Took {
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - began, cpuMs: (user + system) / 1000 }
}

/** @param floor what it is compared with, by its median */
function line(what: string, values: readonly Took[], floor?: readonly Took[]): void {
  const ms = values.map((one) => one.ms)
  const cpu = values.map((one) => one.cpuMs)
  const figures = [percentile(ms, 0.5), percentile(ms, 0.95), Math.max(...ms), percentile(cpu, 0.5), percentile(cpu, 0.95)]
  const plain =
    floor &&
    percentile(
      floor.map((one) => one.ms),
      0.5,
    ) / percentile(ms, 0.5)
  const ratio = plain === undefined ? '' : `   1/${plain.toFixed(0)}`
  console.log(
    `${what.padEnd(44)} ${String(values.length).padStart(5)} ${figures.map((one) => one.toFixed(2).padStart(9)).join(' ')}${ratio}`,
  )
}

/** A search with its filters, total and facets, as a first version would have it. */
function plainSearch(database: Database, { text, facets }: ImageSearch): void {
  const from = 'images i JOIN jobs j ON j.id = i.job_id'
  const words = text.replaceAll('"', '').split(' ').filter(Boolean)
  const where = [
    ...words.map(() => `(j.recipe LIKE ?)`),
    ...(facets.model ?? []).map(() => 'i.checkpoint = ?'),
    ...(facets.rating ? [`i.rating IN (${facets.rating.join()})`] : []),
    '1',
  ].join(' AND ')
  const values = [...words.map((word) => `%${word}%`), ...(facets.model ?? [])]
  database
    .prepare(`SELECT i.*, j.recipe FROM ${from} WHERE ${where} ORDER BY i.created_at_ms DESC LIMIT ${pageSize}`)
    .all(...values)
  database.prepare(`SELECT count(*) FROM ${from} WHERE ${where}`).get(...values)
  for (const column of ['i.checkpoint', 'i.backend', 'i.rating', 'j.pack_name'])
    database.prepare(`SELECT ${column}, count(*) FROM ${from} WHERE ${where} GROUP BY 1 ORDER BY 2 DESC LIMIT 12`).all(...values)
}

function bench(database: Database, images: number): void {
  const store = new ImageStore(database)
  // A new one remembers no search.
  const fresh = () =>
    new History({
      archive: new ImageArchive('/none'),
      store: new ImageStore(database),
      unfinished: new UnfinishedImages(database, '/none'),
    })

  console.log(`${''.padEnd(44)}     n    p50 ms    p95 ms    max ms   p50 cpu   p95 cpu   plain`)
  const all: Took[] = []
  const each: string[] = []
  for (const [what, search] of searches) {
    const values = Array.from({ length: repeats }, () => {
      const history = fresh()
      return timed(() => {
        history.page(pageSize, undefined, whole(search))
        history.facets(whole(search))
      })
    })
    all.push(...values)
    each.push(
      `  ${what.padEnd(42)} ${percentile(
        values.map((one) => one.cpuMs),
        0.5,
      )
        .toFixed(1)
        .padStart(9)} cpu`,
    )
  }
  const plain = [1, 5, 10, 12].map((at) => timed(() => plainSearch(database, whole(searches[at]![1]))))
  line('search, filters, total and facets', all, plain)
  line('  plain: LIKE, count(*), GROUP BY', plain)
  console.log(each.join('\n'))

  const pages: Took[] = []
  const history = fresh()
  for (const sort of sorts) {
    for (const search of [{}, { text: 'portrait' }, { facets: { model: ['model-v5.safetensors'] } }]) {
      // The search has been made when somebody scrolls.
      let next = history.page(pageSize, undefined, whole(search), sort).next
      for (let page = 0; page < 20 && next !== null; page++) {
        const after = next
        pages.push(timed(() => (next = history.page(pageSize, after, whole(search), sort).next)))
      }
    }
  }
  // Anywhere: a key in the middle of the time.
  for (let part = 1; part < 20; part++) {
    const moment = (endMs - (1000 * 86_400_000 * part) / 20) * momentsPerMs
    pages.push(timed(() => history.page(pageSize, `0-${moment}`)))
  }
  const offsets = [0.25, 0.5, 0.75, 0.99].map((part) =>
    timed(() =>
      database
        .prepare(
          `SELECT i.*, j.recipe FROM images i JOIN jobs j ON j.id = i.job_id ORDER BY i.id DESC LIMIT ${pageSize} OFFSET ?`,
        )
        .all(Math.floor(images * part)),
    ),
  )
  line('a page of the grid, any sort, anywhere', pages, offsets)
  line('  plain: OFFSET', offsets)

  const job = Number(
    database
      .prepare(
        `INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, recipe, images_wanted, created_at_ms)
         SELECT pack_id, pack_name, 0, 'completed', 0, recipe, 0, created_at_ms FROM jobs WHERE id = 1`,
      )
      .run().lastInsertRowid,
  )
  const about = { ...store.get(1)!, jobId: job }
  const insert = (at: number) => store.add({ ...about, imageIndex: at, path: `/new/${at}.png`, createdAtMs: endMs + at })
  const inserts: Took[] = []
  // As one of many rows of a transaction, and with a transaction of its own, which waits for the disk.
  database.transaction(() => {
    for (let at = 0; at < 1000; at++) inserts.push(timed(() => insert(at)))
  })()
  line('an insert, in a transaction', inserts)
  line(
    'an insert with its transaction (fsync)',
    Array.from({ length: 200 }, (_, at) => timed(() => insert(1000 + at))),
  )
  line(
    '  plain: the row alone (fsync)',
    Array.from({ length: 200 }, (_, at) =>
      timed(() => {
        database
          .prepare(
            `INSERT INTO images (job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms)
       SELECT job_id, ? , ?, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms FROM images WHERE id = 1`,
          )
          .run(-1 - at, `/plain/${at}.png`)
      }),
    ),
  )
  line(
    'a rating',
    Array.from({ length: 200 }, (_, at) => timed(() => store.rate(1 + at * 97, 1 + (at % 5), endMs))),
  )
}

const { values } = parseArgs({ options: { images: { type: 'string', default: '1000000' }, keep: { type: 'string' } } })
const images = Number(values.images)
const folder = mkdtempSync(join(tmpdir(), 'stablenew-bench-'))
try {
  mkdirSync(join(folder, 'backups'))
  const file = join(folder, 'history.db')
  if (values.keep && existsSync(values.keep)) copyFileSync(values.keep, file)
  const database = await openDatabase(file, join(folder, 'backups'))
  try {
    if (!values.keep || !existsSync(values.keep)) {
      database.pragma('synchronous = OFF')
      const began = performance.now()
      generateHistory(database, images, endMs, (made) => {
        if (made % 100_000 === 0) console.error(`${made} images, ${Math.round((performance.now() - began) / 1000)} s`)
      })
      database.pragma('wal_checkpoint(TRUNCATE)')
      database.pragma('synchronous = FULL')
      if (values.keep) copyFileSync(file, values.keep)
    }
    console.log(machine())
    bench(database, images)
  } finally {
    database.close()
  }
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
