import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import type { StorageTrouble } from '../../src-sidecar/contract/storage.ts'
import { readLastShutdown } from '../helpers/launched-sidecar.ts'
import { closeSidecar, type RunningSidecar, spawnMain, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { canMount, smallDisk } from '../helpers/small-disk.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start } = trackSidecars()
const patient = { ms: 30_000, everyMs: 30 }

const troubleOf = async (sidecar: RunningSidecar) => (await sidecar.get<Status>('/api/status')).storage
const trouble = (sidecar: RunningSidecar, kind: StorageTrouble['kind']): Promise<StorageTrouble> =>
  waitFor(
    async () => {
      const now = await troubleOf(sidecar)
      return now?.kind === kind && now
    },
    `the storage to be ${kind}`,
    patient,
  )
const inHand = (sidecar: RunningSidecar, images: number) =>
  waitFor(async () => (await troubleOf(sidecar))?.inHand === images, `${images} images in hand`, patient)

const resume = async (sidecar: RunningSidecar) => {
  const answer = await sidecar.request('/api/queue/resume', { method: 'POST', body: '{}' })
  return { status: answer.status, body: (await answer.json()) as { code?: string; message?: string } }
}

/** Packs of one prompt, so that each job is one of the queue. */
async function queueImages(sidecar: RunningSidecar, images: number, settings: object = {}): Promise<void> {
  writeFileSync(join(sidecar.dataDir, 'packs', 'fox.txt'), 'a red fox\n')
  await waitFor(async () => (await sidecar.request('/api/pack?id=user/fox.txt')).ok, 'the pack', patient)
  await sidecar.queue('user/fox.txt', { images, settings })
}
const places = (page: ImagePage) => page.images.map(({ jobId, imageIndex }) => `${jobId}/${imageIndex}`).toSorted()
const pngs = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('filler') && /\..+$/.test(name))
const logged = (path: string, text: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes(text) && line.includes('"level":50'))

test.runIf(canMount)('a full disk pauses the queue; what was made is saved when there is room again', async () => {
  const dataDir = tempDir('full')
  const images = join(dataDir, 'images')
  mkdirSync(images)
  const disk = smallDisk(images, '8m')
  const sidecar = await start({ dataDir, prefix: disk.prefix })
  const pid = sidecar.child.pid!
  disk.fill(pid)
  await queueImages(sidecar, 3)
  const { message, folder } = await trouble(sidecar, 'full')
  expect(folder).toBe(images)
  expect(message).toMatch(/no room left in .*images \(\d+ kB free\)/)
  // The one that could not be saved, and the one that was being made meanwhile.
  await inHand(sidecar, 2)
  const { pending, running } = await sidecar.get<Queue>('/api/queue')
  expect(running).toEqual([])
  expect(pending[0]).toMatchObject({ imagesDone: 0, problem: { code: 'disk' } })
  for (let time = 0; time < 3; time++)
    expect(await resume(sidecar)).toMatchObject({ status: 507, body: { code: 'disk', message } })
  expect(logged(join(dataDir, 'logs', 'stablenew.log'), 'no room left')).toHaveLength(1)
  disk.free(pid)
  expect(places(await waitForEmptyQueue(sidecar))).toEqual(['1/0', '1/1', '1/2'])
  expect(await troubleOf(sidecar)).toBeNull()
  expect(pngs(disk.at(pid))).toHaveLength(3)
  expect((await closeSidecar(sidecar)).code).toBe(0)
})

test.runIf(canMount)('a disk that turns read-only pauses it; Resume goes on at once when it is writable again', async () => {
  const dataDir = tempDir('read-only')
  const images = join(dataDir, 'images')
  mkdirSync(images)
  const disk = smallDisk(images, '16m')
  const sidecar = await start({ dataDir, prefix: disk.prefix })
  const pid = sidecar.child.pid!
  disk.remount(pid, 'ro')
  await queueImages(sidecar, 1)
  expect((await trouble(sidecar, 'read-only')).message).toContain('EROFS')
  await inHand(sidecar, 1)
  expect((await resume(sidecar)).status).toBe(507)
  disk.remount(pid, 'rw')
  expect(await resume(sidecar)).toMatchObject({ status: 200 })
  expect(places(await waitForEmptyQueue(sidecar))).toEqual(['1/0'])
})

test.runIf(canMount)('a full disk below the database refuses new jobs plainly, and takes them when there is room', async () => {
  const dataDir = tempDir('full-data')
  const disk = smallDisk(dataDir, '24m')
  const sidecar = await start({ dataDir, prefix: disk.prefix })
  const pid = sidecar.child.pid!
  const { packs } = await sidecar.get<{ packs: { id: string }[] }>('/api/packs')
  const queue = () => sidecar.request('/api/queue', { method: 'POST', body: JSON.stringify({ packId: packs[0]!.id, images: 1 }) })
  disk.fill(pid)
  const refused = await queue()
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([507, 'disk'])
  expect(await trouble(sidecar, 'full')).toMatchObject({ folder: dataDir })
  disk.free(pid)
  await waitFor(async () => (await troubleOf(sidecar)) === null, 'room again', patient)
  expect((await queue()).status).toBe(201)
  expect((await waitForEmptyQueue(sidecar)).images.length).toBeGreaterThan(0)
  expect((await closeSidecar(sidecar)).code).toBe(0)
})

test.runIf(canMount)('a drive that is unmounted is waited for: nothing is written into the empty folder below it', async () => {
  const dataDir = tempDir('unmounted')
  const images = join(dataDir, 'images')
  mkdirSync(images)
  const disk = smallDisk(images, '16m')
  const sidecar = await start({ dataDir, prefix: disk.prefix })
  const pid = sidecar.child.pid!
  disk.unmount(pid)
  await queueImages(sidecar, 1)
  expect((await trouble(sidecar, 'gone')).message).toContain('its drive is not mounted')
  await inHand(sidecar, 1)
  expect(readdirSync(images)).toEqual([])
  disk.mount(pid)
  expect(places(await waitForEmptyQueue(sidecar))).toEqual(['1/0'])
  expect(pngs(disk.at(pid))).toHaveLength(1)
})

describe('an images folder that is gone', () => {
  test('is waited for, never made anew, and gone on with when it is back', async () => {
    const sidecar = await start()
    const images = join(sidecar.dataDir, 'images')
    renameSync(images, `${images}-away`)
    await queueImages(sidecar, 2)
    expect((await trouble(sidecar, 'gone')).message).toContain(images)
    expect(readdirSync(sidecar.dataDir)).not.toContain('images')
    renameSync(`${images}-away`, images)
    expect(places(await waitForEmptyQueue(sidecar))).toEqual(['1/0', '1/1'])
    expect(pngs(images)).toHaveLength(2)
  })

  test('holds no close up: what could not be saved is told, and made again at the next start', async () => {
    const sidecar = await start()
    const { dataDir } = sidecar
    const images = join(dataDir, 'images')
    renameSync(images, `${images}-away`)
    await queueImages(sidecar, 1)
    await trouble(sidecar, 'gone')
    await inHand(sidecar, 1)
    expect((await closeSidecar(sidecar)).code).toBe(0)
    expect(readLastShutdown(dataDir)).toMatchObject({
      verdict: 'clean',
      remarks: ['image 1 of job 1 was made and could not be saved: it is made again at the next start'],
    })
    renameSync(`${images}-away`, images)
    const next = await start({ dataDir })
    const { notices } = await next.get<Status>('/api/status')
    expect(notices).toContainEqual(expect.stringContaining('Image 1 of job 1 (fox) could not be saved'))
    expect(places(await waitForEmptyQueue(next))).toEqual(['1/0'])
  })
})

test.skipIf(process.platform === 'win32')(
  'a write that hangs holds the close up for seconds only, and the job goes on at the next start',
  async () => {
    const sidecar = await start()
    const { dataDir } = sidecar
    // Whoever opens it to write waits until somebody reads.
    const pipe = join(dataDir, 'images', `hangs.png.${sidecar.child.pid}.stablenew-part`)
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    await queueImages(sidecar, 1, { filePattern: 'hangs' })
    const isSaving = async () => {
      const { running, progress } = await sidecar.get<Queue>('/api/queue')
      return running.length === 1 && progress.length === 0
    }
    await waitFor(isSaving, 'the image to be saved', patient)
    expect((await closeSidecar(sidecar)).code).toBe(0)
    const { verdict, remarks } = readLastShutdown(dataDir)
    expect([verdict, ...remarks]).toEqual([
      'clean',
      'image 1 of job 1 was made and could not be saved: it is made again at the next start',
      'a write to a disk that does not answer was not waited for',
    ])
    rmSync(pipe)
    const next = await start({ dataDir })
    expect(places(await waitForEmptyQueue(next))).toEqual(['1/0'])
  },
)

describe.runIf(canMount)('run', () => {
  let folder: string
  afterEach(() => {
    expect(readdirSync(join(folder, 'runs'))).toEqual([])
  })

  test('into a full folder says so once, gives up after --disk-wait, and exits with 74', async () => {
    folder = tempDir('run')
    const out = tempDir('out')
    const pack = join(tempDir('pack'), 'fox.txt')
    writeFileSync(pack, 'a red fox\n')
    const { prefix } = smallDisk(out, '4k')
    const args = ['run', pack, '--out', out, '--data-dir', folder, '--images', '2', '--disk-wait', '1']
    const { ended, output } = spawnMain(args, 'ignore', prefix)
    expect((await ended).code).toBe(74)
    expect(output().match(/There is no room left in/g)).toHaveLength(1)
    expect(output()).toMatch(/[12] images? (was|were) made and could not be saved/)
    expect(output()).toContain('0 of 2 images')
  })
})
