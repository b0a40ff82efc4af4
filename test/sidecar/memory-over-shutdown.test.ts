import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { phases } from '../../src-sidecar/lifecycle/shutdown-coordinator.ts'
import { type LaunchedSidecar, launchSidecar, queueDone } from '../helpers/launched-sidecar.ts'
import { takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'

const mostGrowth = 0.1
const keeping = fileURLToPath(new URL('../fixtures/programs/keeps-at-end.mjs', import.meta.url))

interface Note {
  when: string
  /** Heap and what lies beside it, after a forced collection. */
  heldBytes: number
  rssBytes: number
}

const baseline = takeBaseline()
let sidecar: LaunchedSidecar
afterEach(async () => {
  sidecar.child.kill('SIGKILL')
  await sidecar.ended
  await baseline.expectNothingLeft()
})

/** Start, six jobs, SIGTERM. @returns what `--diagnose` wrote into the log */
async function startWorkClose(nodeFlags: readonly string[] = []): Promise<Note[]> {
  const dataDir = tempDir('diagnose')
  sidecar = await launchSidecar({ dataDir, nodeFlags, args: ['--diagnose', '--draft-args', '--step-ms 5'] })
  await sidecar.queue('example/tiny worlds.txt', { images: 2, settings: { steps: 4, width: 256, height: 256 } })
  await queueDone(sidecar)
  sidecar.child.kill('SIGTERM')
  expect(await sidecar.ended).toMatchObject({ code: 0 })
  const lines = readFileSync(join(dataDir, 'logs/stablenew.log'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'resources')
}

/** Of what is held, from the first phase's begin to the last one's end. */
function growthOver(notes: readonly Note[]): number {
  const at = (when: string) => notes.find((note) => note.when === when)?.heldBytes ?? Number.NaN
  const [first, last] = [at('intake begins'), at('verify ends')]
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  console.log(`${mb(first)} MB held at the begin of the shutdown, ${mb(last)} MB at its end`)
  return last / first - 1
}

test('--diagnose notes memory, handles and threads around every job and every phase of the end', async () => {
  const notes = await startWorkClose()
  const jobs = [1, 2, 3, 4, 5, 6].flatMap((id) => [`before job ${id}`, `after job ${id}`])
  const ends = phases.flatMap((phase) => [`${phase} begins`, `${phase} ends`])
  const told = notes.map(({ when }) => when)
  // A job is being saved while the next one, or the end, begins.
  expect(told.filter((when) => jobs.includes(when)).toSorted()).toEqual(jobs.toSorted())
  for (let id = 1; id <= 6; id++) expect(told.indexOf(`before job ${id}`)).toBeLessThan(told.indexOf(`after job ${id}`))
  expect(told.filter((when) => !jobs.includes(when))).toEqual(ends)
  expect(notes[0]).toMatchObject({ heldBytes: expect.any(Number), rssBytes: expect.any(Number) })
  if (process.platform === 'linux') expect(notes[0]).toMatchObject({ thread: expect.any(Number), file: expect.any(Number) })
})

test(`memory grows by no more than ${mostGrowth * 100} % over a shutdown`, async () => {
  expect(growthOver(await startWorkClose())).toBeLessThanOrEqual(mostGrowth)
})

test('a shutdown that keeps memory would be found out', async () => {
  expect(growthOver(await startWorkClose(['--import', keeping]))).toBeGreaterThan(mostGrowth)
})
