import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findChromium } from '../../src-sidecar/shell/find-chromium.ts'
import { closeSidecar, type RunningSidecar, startSidecar } from '../helpers/sidecar.ts'
import { takeBaseline } from '../helpers/survivors.ts'

const executablePath = findChromium(process.env)
const baseline = takeBaseline()
let browser: Browser | undefined
let sidecar: RunningSidecar | undefined

beforeAll(async () => {
  if (executablePath === null) return
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] })
})

afterAll(async () => {
  if (sidecar?.child.exitCode === null) sidecar.child.kill('SIGKILL')
  await sidecar?.ended
  await browser?.close()
  await baseline.expectNothingLeft()
})

test.skipIf(executablePath === null)(
  'the window is not empty where the system’s language is C, which is no language to Intl',
  async () => {
    sidecar = await startSidecar()
    const page = await browser!.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    // What WebKit does under LANG=C.
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C', configurable: true }))
    await page.goto(`${sidecar.url}/?token=${sidecar.token}#/diagnostics`)
    await page.getByText('Memory of StableNew').waitFor({ timeout: 15_000 })
    await page.getByRole('link', { name: 'Packs' }).click()
    await page.getByText('landscapes').first().waitFor()
    expect(problems).toEqual([])
    expect((await closeSidecar(sidecar)).code).toBe(0)
  },
  60_000,
)
