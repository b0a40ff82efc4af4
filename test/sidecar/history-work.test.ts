import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FolderExport } from '../../src-sidecar/contract/image-export.ts'
import type { ImportState } from '../../src-sidecar/contract/image-import.ts'
import type { MissingFiles } from '../../src-sidecar/contract/missing-files.ts'
import { writePictures } from '../helpers/picture-files.ts'
import { closeSidecar, collectEvents } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start } = trackSidecars()

test('exports and looks for files are told by events, and an end in the middle of them is clean', async () => {
  const files = 400
  const [folder, exports] = [join(tempDir('pictures'), 'outputs'), tempDir('exports')]
  await writePictures(folder, files)
  const sidecar = await start()
  await sidecar.post('/api/imports', { folder })
  await waitFor(async () => (await sidecar.get<ImportState>('/api/imports')).state === 'done', 'the import', { ms: 30_000 })

  const ids = Array.from({ length: 10 }, (_, at) => at + 1)
  const told = collectEvents(sidecar, (event) => event.type === 'export' && event.export.state !== 'running')
  const { folder: made } = await sidecar.post<FolderExport>('/api/exports', { folder: exports, ids })
  expect((await told).at(-1)).toMatchObject({ export: { folder: made, state: 'done', copied: 10, of: 10 } })
  expect(readdirSync(made)).toHaveLength(12)

  renameSync(folder, `${folder} away`)
  const looked = collectEvents(sidecar, (event) => event.type === 'missing' && event.work.state !== 'running')
  await sidecar.post('/api/missing/look')
  const events = await looked
  expect(events.at(-1)).toMatchObject({ work: { what: 'look', state: 'done', gone: files } })
  expect(events.flatMap((event) => (event.type === 'files' ? event.ids : []))).toHaveLength(files)
  expect(await sidecar.get<MissingFiles>('/api/missing')).toMatchObject({ images: files, places: [{ folder, isGone: true }] })

  renameSync(`${folder} away`, folder)
  expect((await sidecar.post<FolderExport>('/api/exports', { folder: exports })).state).toBe('running')
  await sidecar.post('/api/missing/look')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  // It was done, or nothing of it is left.
  const others = readdirSync(exports).filter((name) => join(exports, name) !== made)
  expect(others.every((name) => existsSync(join(exports, name, 'manifest.csv')))).toBe(true)
})
