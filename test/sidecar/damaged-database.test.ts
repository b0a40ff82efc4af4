import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { checkDatabase } from '../../src-sidecar/store/check-database.ts'
import { openDatabase } from '../../src-sidecar/store/database.ts'
import { generateHistory } from '../helpers/generated-history.ts'
import { readLastShutdown } from '../helpers/launched-sidecar.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue, waitForSteps } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start } = trackSidecars()
const patient = { ms: 40_000, everyMs: 50 }
const generated = 400
/** Of each: together more than the page cache of a connection (16 MB) holds. */
const parametersBytes = 60_000
let dataDir: string
let file: string

beforeAll(async () => {
  dataDir = tempDir('damaged')
  file = join(dataDir, 'stablenew.db')
  mkdirSync(join(dataDir, 'backups'))
  mkdirSync(join(dataDir, 'packs'))
  writeFileSync(join(dataDir, 'packs', 'foxes.txt'), 'a red fox in deep snow\nneg: blurry\n\na silver fox at dusk\n')
  const database = await openDatabase(file, join(dataDir, 'backups'))
  database.pragma('synchronous = OFF')
  generateHistory(database, generated, Date.UTC(2026, 0, 1), () => {})
  database.prepare(`UPDATE images SET parameters = printf('%.*c', ?, 'x')`).run(parametersBytes)
  database.close()
})

/** Garbage in place of every page but the first, behind the back of whoever has it open. */
function spoil(path: string): void {
  const handle = openSync(path, 'r+')
  const { size } = statSync(path)
  for (let at = 4096; at < size; at += 4096) writeSync(handle, Buffer.alloc(Math.min(4096, size - at), 0xa5), 0, undefined, at)
  closeSync(handle)
}

const foxes = (page: ImagePage) => page.images.filter(({ recipe }) => recipe.prompt.includes('fox'))
const madeOf = ({ path, recipe, seed, width, height }: Image) => ({
  path,
  seed,
  size: [width, height],
  prompt: recipe.prompt,
  negative: recipe.negativePrompt,
  sampler: recipe.samplerName,
  steps: recipe.steps,
  cfg: recipe.cfgScale,
})
const byPath = (images: Image[]) => images.map(madeOf).toSorted((a, b) => (a.path < b.path ? -1 : 1))
const newest = (sidecar: RunningSidecar) => sidecar.get<ImagePage>('/api/images?limit=100')
const pngs = () =>
  readdirSync(join(dataDir, 'images'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.png'))

test('a database that is damaged while it is used stops the queue; the next start has a backup in its place, and every image again', async () => {
  const first = await start({ dataDir })
  await waitFor(() => readdirSync(join(dataDir, 'backups')).some((name) => /daily.*Z$/.test(name)), 'the backup', patient)
  for (const name of readdirSync(join(dataDir, 'backups'))) rmSync(join(dataDir, 'backups', name))
  await first.queue('user/foxes.txt', { images: 1, seed: 7 })
  await waitForEmptyQueue(first)
  expect((await closeSidecar(first)).code).toBe(0)

  // Now the backup has two foxes; four more come after it, and one is being made when it happens.
  const second = await start({ dataDir, args: ['--draft-args', '--step-ms 30'] })
  await waitFor(() => readdirSync(join(dataDir, 'backups')).some((name) => /daily.*Z$/.test(name)), 'the next backup', patient)
  await second.queue('user/foxes.txt', { images: 2, seed: 100, settings: { width: 128, height: 64, steps: 3 } })
  await waitForEmptyQueue(second)
  const before = foxes(await newest(second))
  expect(before).toHaveLength(6)
  await second.queue('user/foxes.txt', { images: 1, seed: 500, prompts: [0] })
  await waitForSteps(second)
  spoil(file)
  const answer = await second.request('/api/images?limit=100&sort=oldest')
  expect(answer.status).toBe(503)
  const { code, message } = (await answer.json()) as { code: string; message: string }
  expect(code).toBe('database_broken')
  expect(message).toContain('Close StableNew and start it again')
  const { storage } = await second.get<Status>('/api/status')
  expect(storage).toMatchObject({ kind: 'damaged', folder: dataDir, message })
  const resumed = await second.request('/api/queue/resume', { method: 'POST', body: '{}' })
  expect(resumed.status).toBe(503)
  expect((await closeSidecar(second)).code).toBe(0)
  expect(readLastShutdown(dataDir).verdict).toBe('clean')
  const log = readFileSync(join(dataDir, 'logs', 'stablenew.log'), 'utf8')
  expect(log.match(/Close StableNew and start it again/g)).toHaveLength(1)

  const third = await start({ dataDir })
  const { notices, storage: after } = await third.get<Status>('/api/status')
  expect(after).toBeNull()
  expect(notices).toContainEqual(expect.stringMatching(/damaged and set aside as .*\.damaged-.*The backup of .* took its place/))
  // The one that was being made is there too, from the damaged run or made again.
  await third.request('/api/queue/cancel-pending', { method: 'POST' })
  await waitForEmptyQueue(third)
  await waitFor(async () => foxes(await newest(third)).length >= pngs().length, 'every file to be found again', patient)
  const found = byPath(foxes(await newest(third)))
  expect(found.map(({ path }) => path)).toEqual(
    pngs()
      .map((name) => join(dataDir, 'images', name))
      .toSorted(),
  )
  const paths = new Set(before.map(({ path }) => path))
  expect(found.filter(({ path }) => paths.has(path))).toEqual(byPath(before))
  expect((await newest(third)).total).toBeGreaterThanOrEqual(generated + before.length)
  const word = encodeURIComponent(JSON.stringify({ text: '"silver fox"', facets: {} }))
  await waitFor(async () => (await third.get<ImagePage>(`/api/images?search=${word}`)).total === 3, 'the search', patient)
  expect((await closeSidecar(third)).code).toBe(0)
  expect(checkDatabase(file).integrity).toBe('ok')
  expect(readdirSync(dataDir).filter((name) => /\.check$|\.part$/.test(name))).toEqual([])
})
