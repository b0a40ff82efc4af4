import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { ImportState } from '../../src-sidecar/contract/image-import.ts'
import type { Facets, ImagePage } from '../../src-sidecar/contract/image-search.ts'
import { makers, writePictures } from '../helpers/picture-files.ts'
import { closeSidecar, type RunningSidecar, startSidecar } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const files = process.env.STABLENEW_VERIFY === '1' ? 10_000 : 1000
const sidecars: RunningSidecar[] = []

afterEach(async () => {
  for (const { child, ended } of sidecars.splice(0)) {
    if (child.exitCode === null) child.kill('SIGKILL')
    await ended
  }
})

async function start(dataDir: string): Promise<RunningSidecar> {
  const sidecar = await startSidecar({ dataDir })
  sidecars.push(sidecar)
  return sidecar
}

const stateOf = (sidecar: RunningSidecar) => sidecar.get<ImportState | null>('/api/imports')

/** Asks for images while the import runs, until it has seen so many files. @returns its state then, and what it was before */
async function askBeside(sidecar: RunningSidecar, seen: number): Promise<{ states: ImportState[]; answered: number }> {
  const states: ImportState[] = []
  let answered = 0
  return await waitFor(
    async () => {
      const { images } = await sidecar.get<ImagePage>('/api/images?limit=1')
      const state = (await stateOf(sidecar))!
      // It was answered before the import has ended.
      if (state.state === 'running' && images.length > 0) answered++
      states.push(state)
      return state.seen >= seen || state.state !== 'running' ? { states, answered } : false
    },
    `an import of ${seen} files`,
    { ms: 240_000, everyMs: 5 },
  )
}

async function all(sidecar: RunningSidecar): Promise<ImagePage['images']> {
  const images: ImagePage['images'] = []
  for (let after = ''; ; ) {
    const page = await sidecar.get<ImagePage>(`/api/images?limit=200${after}`)
    images.push(...page.images)
    if (page.next === null) return images
    after = `&after=${page.next}`
  }
}

test(`an import of ${files} files holds nobody up, and killed in the middle it goes on with nothing twice and nothing left out`, async () => {
  const [dataDir, folder] = [tempDir('import-data'), join(tempDir('import'), 'outputs')]
  const paths = await writePictures(folder, files)
  const first = await start(dataDir)
  await first.post('/api/imports', { folder })
  const begun = await askBeside(first, Math.ceil(files / 5))
  first.child.kill('SIGKILL')
  await first.ended
  const killed = begun.states.at(-1)!
  expect(killed.state).toBe('running')
  expect(begun.answered).toBeGreaterThan(0)

  // It goes on by itself.
  const second = await start(dataDir)
  const rest = await askBeside(second, Number.POSITIVE_INFINITY)
  const done = rest.states.at(-1)!
  expect(done).toMatchObject({ folder, state: 'done', found: files, seen: files, relinked: 0, unreadable: 0, problem: null })
  expect(done.known).toBeGreaterThanOrEqual(killed.added)
  expect(done.added).toBe(files - done.known)
  expect(done.added).toBeGreaterThan(0)
  expect(rest.answered).toBeGreaterThan(0)
  for (const [at, { seen, found }] of rest.states.entries()) {
    expect(seen).toBeLessThanOrEqual(found)
    expect(seen).toBeGreaterThanOrEqual(rest.states[at - 1]?.seen ?? 0)
  }

  const images = await all(second)
  expect(images.map(({ path }) => path).toSorted()).toEqual(paths.toSorted())
  const numbers = new Map(paths.map((path, at) => [path, at]))
  const wrong = images.filter(({ path, seed, backend, recipe }) => {
    const at = numbers.get(path)!
    return seed !== at || backend !== makers[at % makers.length] || recipe.prompt !== `picture number ${at}`
  })
  expect(wrong).toEqual([])
  const { facets } = await second.get<Facets>('/api/images/facets')
  const counts = facets.find(({ name }) => name === 'backend')!.values.map(({ count }) => count)
  expect(counts.reduce((sum, count) => sum + count)).toBe(files)
  const found = await second.get<ImagePage>(`/api/images?search=${encodeURIComponent('{"text":"\\"number 77\\""}')}`)
  expect(found.images.map(({ path }) => path)).toEqual([paths[77]])
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
  console.info(
    `${files} files: killed when ${killed.added} were in, ${begun.answered} requests answered meanwhile; ` +
      `then ${done.known} known, ${done.added} added, ${rest.answered} requests answered meanwhile; ${images.length} images in the end`,
  )
}, 300_000)
