import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ImageStore } from '../../src-sidecar/history/image-store.ts'
import { openDatabase } from '../../src-sidecar/store/database.ts'
import { seededRandom } from '../helpers/seeded-random.ts'
import { tempDir } from '../helpers/temp-dir.ts'

const writer = fileURLToPath(new URL('../fixtures/programs/history-writer.ts', import.meta.url))
const kills = process.env.STABLENEW_VERIFY === '1' ? 200 : 6

/** Kills the writer once it has said so many images are written, and a little later. @returns the ids it has told */
async function writeAndKill(folder: string, after: number, moreMs: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  const ended = once(child, 'close')
  child.stdout.on('data', (chunk) => {
    text += chunk
    if (text.split('\n').length > after) setTimeout(() => child.kill('SIGKILL'), moreMs)
  })
  await ended
  expect(child.signalCode).toBe('SIGKILL')
  // The last line may have been cut off.
  return text.split('\n').slice(0, -1).map(Number)
}

test(
  `a database whose writer is killed ${kills} times in the middle of writing is whole and has every image that was acknowledged`,
  async () => {
    const folder = tempDir('kill')
    mkdirSync(join(folder, 'backups'))
    const random = seededRandom(8)
    const told: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      told.push(...(await writeAndKill(folder, random.whole(1, 60), random.whole(0, 30))))
      const database = await openDatabase(join(folder, 'stablenew.db'), join(folder, 'backups'))
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
      database.exec(`INSERT INTO image_words (image_words) VALUES ('integrity-check')`)
      const store = new ImageStore(database)
      const rows = database.prepare<[], number>('SELECT id FROM images').pluck().all()
      const known = new Set(rows)
      expect(told.filter((id) => !known.has(id))).toEqual([])
      // The search has neither more nor fewer than there are, and counts them right.
      const search = { text: '', facets: {} }
      expect(store.finder.total(search).total).toBe(rows.length)
      expect(database.prepare('SELECT count(*) FROM image_words WHERE image_words MATCH ?').pluck().get('"fox"')).toBe(
        rows.length,
      )
      const models = store.facets.of(search).facets.find(({ name }) => name === 'model')?.values ?? []
      expect(models.reduce((sum, { count }) => sum + count, 0)).toBe(rows.length)
      database.close()
    }
    expect(told.length).toBeGreaterThan(kills)
  },
  20_000 + kills * 5000,
)
