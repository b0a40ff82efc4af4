import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { programs } from '../../src-sidecar/config/program-path.ts'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { LastShutdown } from '../../src-sidecar/contract/last-shutdown.ts'
import type { SelftestReport } from '../../src-sidecar/contract/selftest.ts'
import { projectFolder } from '../helpers/sidecar.ts'
import { takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { apiOf, person, readJson, startPackage, unpackedPackage } from './unpacked.ts'

const { version } = readJson<{ version: string }>(projectFolder, 'package.json')

test('the window has the same version', () => {
  expect(readJson<{ version: string }>(projectFolder, 'neutralino.config.json').version).toBe(version)
})

test('every program of the package has its source', () => {
  for (const source of Object.values(programs)) expect(existsSync(join(projectFolder, 'src-sidecar', source)), source).toBe(true)
})

describe.skipIf(process.platform !== 'linux' || process.env.STABLENEW_NO_PACKING === '1')(
  'the package for Linux, as it ships',
  () => {
    let folder: string
    let before: string
    const files = () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .map(({ parentPath, name }) => {
          const { size, mtimeMs } = statSync(join(parentPath, name))
          return `${parentPath}/${name} ${size} ${mtimeMs}`
        })
        .sort()
        .join('\n')

    beforeAll(async () => {
      folder = await unpackedPackage()
      before = files()
    }, 330_000)
    afterAll(() => void spawnSync('chmod', ['-R', 'u+w', folder]))

    test('says its version where PATH is empty', async () => {
      const { status, stdout, stderr } = spawnSync(join(folder, 'stablenew'), ['--version'], {
        env: { PATH: '' },
        encoding: 'utf8',
      })
      expect([status, stdout.trim()], stderr).toEqual([0, version])
    })

    test('makes an image for each of two users at once, from a folder that neither may write to, and leaves nothing', async () => {
      const baseline = takeBaseline()
      const people = [person(), person()]
      const started = people.map((one) => startPackage(folder, one, '--shell', 'none', '--draft-args', '--step-ms 1'))
      await Promise.all(
        started.map(async (one) => {
          const { ask, get } = await apiOf(one)
          expect((await (await ask('/')).text()).toLowerCase()).toContain('<!doctype html>')
          const settings = { width: 128, height: 128, steps: 2 }
          await ask('/api/queue', { packId: 'example/portraits.txt', prompts: [0], settings })
          const image = await waitFor(async () => (await get<ImagePage>('/api/images')).images[0], 'the image', { ms: 60_000 })
          const thumbnail = Buffer.from(await (await ask(`/api/images/${image.id}/thumbnail`)).arrayBuffer())
          expect(thumbnail.toString('latin1', 8, 12)).toBe('WEBP')
          one.child.kill('SIGTERM')
          expect(await one.ended, one.output()).toBe(0)
        }),
      )
      await baseline.expectNothingLeft()
      for (const { home } of people) {
        const report = readJson<LastShutdown>(home, '.local/share/stablenew/last-shutdown.json')
        expect(report).toMatchObject({ verdict: 'clean', left: [], appVersion: version })
        expect(readdirSync(home).sort(), 'nothing beside the four folders').toEqual(['.cache', '.config', '.local'])
      }
      expect(files()).toBe(before)
    })

    test('keeps its data beside itself where a file `portable` lies there', async () => {
      const portable = join(tempDir('portable'), 'StableNew')
      spawnSync('cp', ['-al', folder, portable])
      const owner = person()
      const { uid, gid } = statSync(owner.home)
      for (const path of [join(portable, '..'), portable]) chmodSync(path, 0o755)
      writeFileSync(join(portable, 'portable'), '')
      chownSync(portable, uid, gid)
      const started = startPackage(portable, owner, '--headless')
      await apiOf(started)
      started.child.kill('SIGTERM')
      expect(await started.ended, started.output()).toBe(0)
      expect(readdirSync(join(portable, 'data'))).toEqual(expect.arrayContaining(['cache', 'images', 'logs', 'stablenew.db']))
      expect(readdirSync(owner.home)).toEqual([])
    })

    test('passes the whole of its selftest, and leaves nothing', { timeout: 300_000 }, async () => {
      const baseline = takeBaseline()
      const one = person()
      const args = ['--selftest', '--watch', '5', '--repeat', '1', '--report', join(one.home, 'report.json')]
      const { ended, output } = startPackage(folder, one, ...args)
      const code = await ended
      const { runs } = readJson<SelftestReport>(one.home, 'report.json')
      const outcomes = runs.map(({ id, result }) => `${id} ${result?.outcome} ${result?.findings.join('; ')}`.trim())
      expect(outcomes, output()).toEqual(['T1', 'T2', 'T3', 'T4', 'T5', 'T5b', 'T6', 'M'].map((id) => `${id} passed`))
      expect(code, output()).toBe(0)
      const treeOf = (wanted: string) => runs.find(({ id }) => id === wanted)?.result?.figures
      expect(treeOf('T6')?.peakProcesses, 'the tree was there before it was gone').toBeGreaterThanOrEqual(7)
      expect(treeOf('T4')?.ports.length, 'app and backend').toBeGreaterThanOrEqual(2)
      await baseline.expectNothingLeft()
      expect(files()).toBe(before)
      console.log(`The package for Linux: ${runs.length} runs of the selftest passed, none was not run.`)
    })

    test('names the licence of everything in it', () => {
      const text = readFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), 'utf8')
      const wanted = ['better-sqlite3', 'hono', 'koffi', 'opentype.js', 'pino', 'sharp', 'svelte', 'undici', 'zod', 'Node.js']
      for (const name of wanted) expect(text, name).toContain(`\n${name} `)
    })
  },
)
