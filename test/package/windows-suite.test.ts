import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { runBelowWine, wine, withoutLacks } from './wine.ts'

const all = process.env.STABLENEW_VERIFY === '1'

/** The test files that are run below Wine: of all that there is, what it can do in the time. */
const short = ['process/force-exit', 'sidecar/api']
const whole = [
  'process/',
  'sidecar/api',
  'sidecar/closing',
  'sidecar/main-job',
  'sidecar/pack-editing',
  'sidecar/queue',
  'sidecar/watchdog',
]

/**
 * Tests of these files that Wine 8 can't pass: it delivers no Ctrl+Break, so that an engine is killed after its 5 s of grace, and they
 * grant the end no more than that.
 */
const wantCtrlBreak = [
  'in the middle of a job ends the sidecar and the draft engine',
  'a long image is interrupted soon after its shell is gone',
  'with the setting "cancel" the running image is stopped at Exit',
]

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: string[] | null
    }[]
  }[]
}

/** The sources, beside what is installed for Windows. */
function windowsProject(): string {
  const folder = tempDir('windows')
  for (const part of ['src-sidecar', 'test', 'scripts', 'resources', 'package.json', 'neutralino.config.json', 'CHANGELOG.md'])
    cpSync(join(projectFolder, part), join(folder, part), { recursive: true })
  symlinkSync(join(wine!, 'project/node_modules'), join(folder, 'node_modules'))
  const settings = {
    include: (all ? whole : short).map((name) => (name.endsWith('/') ? `test/${name}**/*.test.ts` : `test/${name}.test.ts`)),
    pool: 'forks',
    maxWorkers: 1,
    setupFiles: ['test/helpers/leave-nothing.ts'],
    globalSetup: ['test/helpers/leave-nothing-global.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Node itself loads the files: vite's own resolver knows no drives where it runs as WebAssembly.
    experimental: { viteModuleRunner: false },
  }
  const pattern = `/^(?!.*(?:${wantCtrlBreak.join('|')}))/`
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { ...${JSON.stringify(settings)}, testNamePattern: ${pattern} } }\n`,
  )
  return folder
}

test.skipIf(!wine)(
  'the tests of processes and sidecar pass on Node for Windows, below Wine',
  { timeout: all ? 40 * 60_000 : 300_000 },
  async () => {
    const folder = windowsProject()
    const vitest = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--configLoader=native',
      '--reporter=json',
      '--outputFile=report.json',
    ]
    const { output } = await runBelowWine(vitest, {
      cwd: folder,
      nodeOptions: withoutLacks(join(folder, 'test/fixtures/programs/wine-lacks.cjs')),
      // Its native part for Windows wants a newer Wine.
      env: { NAPI_RS_FORCE_WASI: '1', STABLENEW_WINE: '', STABLENEW_VERIFY: '', VITEST: '' },
    })
    const report = join(folder, 'report.json')
    expect(existsSync(report), output).toBe(true)
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
    const tests = testResults.flatMap((file) => file.assertionResults)
    const failed = tests.filter(({ status }) => status === 'failed')
    const broken = testResults.filter(({ message }) => message !== '').map(({ name, message }) => `${name}: ${message}`)
    expect([...failed.map((one) => `${one.fullName}: ${one.failureMessages?.join('\n')}`), ...broken], output).toEqual([])
    const passed = tests.filter(({ status }) => status === 'passed').length
    expect(passed, output).toBeGreaterThanOrEqual(all ? 50 : 30)

    const lacking = tests.filter(({ fullName }) => wantCtrlBreak.some((name) => fullName.includes(name))).length
    const notRun = [
      [lacking, 'Ctrl+Break, which Wine lacks'],
      [tests.length - passed - lacking, 'about Linux alone: its signals, namespaces and /proc'],
    ].filter(([count]) => count !== 0)
    console.log(
      `Windows below Wine: ${passed} tests of ${testResults.length} files passed. Not run: ` +
        `${notRun.map(([count, why]) => `${count} (${why})`).join('; ')}.${all ? '' : ' More files: npm run test:wine.'}`,
    )
  },
)
