import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SelftestReport } from '../../src-sidecar/contract/selftest.ts'
import { projectFolder } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { readJson, unpackedPackage } from './unpacked.ts'
import { runBelowWine, windowsPath, wine, withoutLacks } from './wine.ts'

// Wine stands in for Windows. Two things that Wine 8 lacks are made up for by fixtures/programs/wine-lacks.cjs.
const lacks = fileURLToPath(new URL('../fixtures/programs/wine-lacks.cjs', import.meta.url))
const { version } = readJson<{ version: string }>(projectFolder, 'package.json')
const all = process.env.STABLENEW_VERIFY === '1'

describe.skipIf(!wine || process.env.STABLENEW_NO_PACKING === '1')('the package for Windows, below Wine', () => {
  let folder: string
  beforeAll(async () => {
    folder = await unpackedPackage('win-x64')
  }, 300_000)

  const run = (...args: string[]) =>
    runBelowWine([join(folder, 'sidecar/main.js'), ...args], { nodeOptions: withoutLacks(lacks) })

  test('says its version', async () => {
    const { code, output } = await run('--version')
    expect([code, output.trim()]).toEqual([0, version])
  })

  test('makes an image from a PromptPack', { timeout: 120_000 }, async () => {
    const out = tempDir('images')
    const pack = join(folder, 'resources/packs/tiny worlds.txt')
    const more = ['--limit', '1', '--set', 'steps=2', '--data-dir', windowsPath(tempDir('data'))]
    const { code, output } = await run('run', windowsPath(pack), '--out', windowsPath(out), ...more)
    expect(code, output).toBe(0)
    const images = readdirSync(out).filter((name) => name.endsWith('.png'))
    expect(images).toHaveLength(1)
    expect(readFileSync(join(out, images[0]!)).toString('latin1', 1, 4)).toBe('PNG')
  })

  test('passes its selftest', { timeout: 600_000 }, async () => {
    const report = join(tempDir('report'), 'report.json')
    const some = all ? [] : ['--scenario', 'T1,T4', '--cycles', '0']
    const { code, output } = await run('--selftest', '--watch', '5', '--repeat', '1', '--report', windowsPath(report), ...some)
    const { runs } = readJson<SelftestReport>(report)
    const outcomes = runs.map(({ id, result }) => `${id} ${result?.outcome} ${result?.findings.join('; ')}`.trim())
    const wanted = all ? ['T1', 'T2', 'T3', 'T4', 'T5', 'T5b', 'T6', 'M'] : ['T1', 'T4']
    expect(outcomes, output).toEqual(wanted.map((id) => `${id} passed`))
    expect(code, output).toBe(0)
    const left = all ? 'none was not run' : '6 were not run: npm run test:wine'
    // An engine is killed after its grace there, as it never hears that it is to end.
    const lacks = 'Ctrl+Break, taskkill /T, Node 24 and sharp'
    console.log(
      `Windows below Wine: ${runs.length} runs of the selftest passed, ${left}. Wine 8 lacks ${lacks}, which were not tried.`,
    )
  })
})
