// The gates of `npm test`, one after another. Started by test.mjs under Node 24, after the set-up.
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { findChromium } from '../src-sidecar/shell/find-chromium.ts'
import { installChromium, installPackages } from './install-packages.ts'
import { runChild } from './run-child.mjs'
import { root, runScript, SetupError } from './run-script.mjs'
import { wineFolder } from './wine-folder.ts'

const gates: [name: string, file: string, ...args: string[]][] = [
  ['biome', '@biomejs/biome/bin/biome', 'ci', '.', ...(process.stdout.isTTY ? [] : ['--colors=off'])],
  ['tsc', 'typescript/bin/tsc', '--noEmit'],
  ['svelte-check', 'svelte-check/bin/svelte-check', '--tsconfig', 'src-ui/tsconfig.json', '--fail-on-warnings'],
]

/** What the tests are told of the browser; a missing one fails in CI and is reported as not run elsewhere. */
async function browserEnvironment(): Promise<Record<string, string> | null> {
  const browser = findChromium(process.env) ?? (process.env.CHROMIUM_BIN ? null : await installChromium())
  if (browser) return { CHROMIUM_BIN: browser }
  console.error('No browser for the end-to-end tests: install Chromium or Chrome, or set CHROMIUM_BIN.')
  return process.env.CI ? null : { STABLENEW_NO_BROWSER: '1' }
}

/** What the tests of the packages pack with; a missing one fails in CI and is reported as not run elsewhere. */
async function packingEnvironment(): Promise<Record<string, string> | null> {
  const there = () => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'xz')))
  if (process.platform !== 'linux' || there() || (await installPackages('xz-utils'))) return {}
  console.error('The tests of the packages are not run: install xz-utils.')
  return process.env.CI ? null : { STABLENEW_NO_PACKING: '1' }
}

/** Wine for the Windows tests; a missing one fails in CI and is reported as not run elsewhere. */
async function wineEnvironment(): Promise<Record<string, string> | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return {}
  try {
    return { STABLENEW_WINE: await wineFolder() }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`The Windows tests are not run: ${error.message}`)
    return process.env.CI ? null : {}
  }
}

await runScript(import.meta.url, async (argv) => {
  const browser = await browserEnvironment()
  // Who asks for some tests by name has `npm run test:wine` for those.
  const wine = argv.length === 0 ? await wineEnvironment() : {}
  const packing = argv.length === 0 ? await packingEnvironment() : {}
  if (!browser || !wine || !packing) return 1
  const env = { ...process.env, ...browser, ...wine, ...packing, PATH: dirname(process.execPath) + delimiter + process.env.PATH }
  const failed: string[] = []
  for (const [name, file, ...args] of [...gates, ['vitest', 'vitest/vitest.mjs', 'run', ...argv] as const]) {
    const { exitCode, endedBy } = await runChild(process.execPath, [join(root, 'node_modules', file), ...args], {
      cwd: root,
      env,
      graceMs: 10_000,
    })
    if (endedBy) return exitCode
    if (exitCode !== 0) failed.push(`${name} (exit code ${exitCode})`)
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}.`)
  return failed.length === 0 ? 0 : 1
})
