import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type SelftestReport, selftestReportSchema } from '../../src-sidecar/contract/selftest.ts'
import { projectFolder, spawnMain } from '../helpers/sidecar.ts'
import { type Baseline, commandLine, endSurvivors, liveDescendants, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

let baseline: Baseline
beforeEach(() => {
  baseline = takeBaseline()
})
// A failed test must not make the next ones fail.
afterEach(() => baseline.expectNothingLeft().finally(() => endSurvivors(baseline)))

async function selftest(...args: string[]): Promise<{ code: number | null; report: SelftestReport; output: string }> {
  const file = join(tempDir('selftest'), 'report.json')
  const { ended, output } = spawnMain(['--selftest', '--report', file, ...args])
  const { code } = await ended
  const report = selftestReportSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  return { code, report, output: output() }
}

const outcomes = ({ runs }: SelftestReport) =>
  runs.map(({ id, result }) => `${id} ${result?.outcome} ${result?.findings.join('; ')}`.trim())

describe.skipIf(process.platform !== 'linux')('the selftest', () => {
  // The six scenarios and the cycles are those of test/package/package.test.ts.
  test('passes on this machine with all faults', { timeout: 300_000 }, async () => {
    const faults = ['F1', 'F2', 'F3', 'F4', 'F5', 'F6', 'F7']
    const { code, report, output } = await selftest('--watch', '2', '--repeat', '1', '--scenario', faults.join())
    expect(outcomes(report)).toEqual(faults.map((id) => `${id} passed`))
    expect(code).toBe(0)
    expect(report.verdict).toBe('passed')
    expect(output).toContain('PASSED: 7 passed, 0 failed')
  })

  test.skipIf(process.env.STABLENEW_VERIFY !== '1')(
    'passes in the cross of scenarios, faults and ways to close',
    { timeout: 1_200_000 },
    async () => {
      const { code, report } = await selftest('--watch', '2', '--repeat', '1', '--faults', '--close', 'each', '--cycles', '30')
      console.log(`${report.runs.length} runs in ${Math.round(report.ms / 1000)} s`)
      expect(outcomes(report).filter((line) => !line.endsWith(' passed'))).toEqual([])
      expect(report.runs.length).toBeGreaterThanOrEqual(55)
      expect(code).toBe(0)
    },
  )

  test.for([
    ['process', ['--scenario', 'T1', '--close', 'exit-button'], /left behind 10 s after the exit: sleep \d+ \(sleep 1000\)/],
    ['process', ['--scenario', 'T1', '--close', 'window'], /left behind 10 s after the exit: sleep \d+ \(sleep 1000\)/],
    ['handle', ['--scenario', 'T1', '--close', 'stdin-eof'], /left open at the end: file .*sabotage\.ts/],
    ['memory', ['--scenario', 'M'], /memory grows: heap and external memory from cycle 5 to 12: \+[67]\.\d\d MB/],
  ] as const)(
    'an app that leaks a %s fails with %s and the leak has a name',
    { timeout: 120_000 },
    async ([leak, args, named]) => {
      const url = `${pathToFileURL(join(projectFolder, 'test/fixtures/programs/sabotage.ts'))}?leak=${leak}`
      const { code, report, output } = await selftest('--watch', '0', '--repeat', '1', ...args, '--node-flags', `--import ${url}`)
      expect(report.runs).toHaveLength(1)
      expect(report.runs[0]?.result?.findings.join('\n')).toMatch(named)
      expect(output).toMatch(named)
      expect(code).toBe(1)
    },
  )

  test('a server of the user’s own is taken in place of the draft engine, and goes on', { timeout: 120_000 }, async () => {
    const program = join(projectFolder, 'src-sidecar/backends/draft-engine/main.ts')
    const server = spawn(process.execPath, [program, '--step-ms', '100', '--watch-stdin'], { stdio: ['pipe', 'pipe', 'ignore'] })
    onTestFinished(() => void server.stdin.end())
    const port = await new Promise((resolve) =>
      createInterface({ input: server.stdout }).once('line', (line) => resolve(JSON.parse(line).port)),
    )
    const url = `http://127.0.0.1:${port}`
    const args = ['--watch', '0', '--repeat', '1', '--scenario', 'T4,T5b,T6', '--backend', url]
    const { code, report } = await selftest(...args)
    expect(outcomes(report)).toEqual(['T4 passed', 'T5b passed', 'T6 not-run'])
    expect(report.runs[2]?.result?.remarks).toEqual(['it needs a backend that StableNew starts itself'])
    expect(code).toBe(0)
    expect((await fetch(`${url}/sdapi/v1/options`)).status).toBe(200)
    server.stdin.end()
    await once(server, 'exit')
  })

  test('a selftest that is interrupted ends what it started and fails', { timeout: 60_000 }, async () => {
    const { child, ended, output } = spawnMain([
      '--selftest',
      '--repeat',
      '1',
      '--report',
      join(tempDir('selftest'), 'report.json'),
    ])
    await waitFor(() => liveDescendants(child.pid).length >= 2, 'an app under test', { ms: 20_000 })
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    expect(output()).toContain('FAILED')
    await baseline.expectNothingLeft()
  })

  test('a selftest that is killed leaves nothing running, and no folder', { timeout: 60_000 }, async () => {
    const { child, ended } = spawnMain(['--selftest', '--repeat', '1', '--scenario', 'T5b'])
    await waitFor(() => liveDescendants(child.pid).length >= 4, 'an app with its backend', { ms: 30_000 })
    const witness = liveDescendants(child.pid).find(({ pid }) => commandLine(pid).includes('witness.ts'))
    const plan = readFileSync(`/proc/${witness?.pid}/cmdline`, 'utf8')
    const folder = plan.match(/"dataDir":"([^"]+)"/)?.[1] ?? ''
    expect(existsSync(folder)).toBe(true)
    child.kill('SIGKILL')
    await ended
    await baseline.expectNothingLeft(15_000)
    expect(existsSync(folder)).toBe(false)
  })
})

test('a scenario or a backend that there is not is refused with exit code 2', async () => {
  const wrong = spawnMain(['--selftest', '--scenario', 'T9'])
  expect((await wrong.ended).code).toBe(2)
  expect(wrong.output()).toContain('There is no scenario T9; --list tells which there are.')
  const backend = spawnMain(['--selftest', '--backend', 'nonsense'])
  expect((await backend.ended).code).toBe(2)
  expect(backend.output()).toContain('There is no backend "nonsense" in the settings, but draft.')
})

test('--list names each scenario with what it proves', async () => {
  const { ended, output } = spawnMain(['--selftest', '--list'])
  expect((await ended).code).toBe(0)
  for (const id of ['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'M', 'F1', 'F7'])
    expect(output()).toMatch(new RegExp(`^${id} .* \\w`, 'm'))
})
