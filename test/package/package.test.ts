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
import { apiOf, assembledPackage, person, readJson, startPackage } from './unpacked.ts'

const { version } = readJson<{ version: string }>(projectFolder, 'package.json')
const all = process.env.STABLENEW_VERIFY === '1'

test('the window has the same version', () => {
  expect(readJson<{ version: string }>(projectFolder, 'neutralino.config.json').version).toBe(version)
})

test('every program of the package has its source', () => {
  for (const source of Object.values(programs)) expect(existsSync(join(projectFolder, 'src-sidecar', source)), source).toBe(true)
})

describe.skipIf(process.platform !== 'linux')('the package for Linux, as it ships', () => {
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
    folder = await assembledPackage()
    before = files()
  }, 120_000)
  afterAll(() => void spawnSync('chmod', ['-R', 'u+w', folder]))

  test('says its version', async () => {
    const { ended, output } = startPackage(folder, person(), '--version')
    expect([await ended, output().trim()]).toEqual([0, version])
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

  test('passes its own selftest', { timeout: 300_000 }, async () => {
    const one = person()
    const some = all ? [] : ['--scenario', 'T4,T6', '--cycles', '0']
    const args = ['--selftest', '--watch', '5', '--repeat', '1', '--report', join(one.home, 'report.json'), ...some]
    const { ended, output } = startPackage(folder, one, ...args)
    const code = await ended
    const { runs } = readJson<SelftestReport>(one.home, 'report.json')
    expect(runs.map(({ id, result }) => `${id} ${result?.outcome} ${result?.findings.join('; ')}`.trim()).join('\n')).toBe(
      runs.map(({ id }) => `${id} passed`).join('\n'),
    )
    expect(runs.length).toBe(all ? 8 : 2)
    expect(code, output()).toBe(0)
  })

  test('names the licence of everything in it', () => {
    const text = readFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), 'utf8')
    const wanted = ['better-sqlite3', 'hono', 'koffi', 'opentype.js', 'pino', 'sharp', 'svelte', 'undici', 'zod', 'Node.js']
    for (const name of wanted) expect(text, name).toContain(`\n${name} `)
  })
})
