import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SelftestState } from '../../src-sidecar/contract/selftest.ts'
import { findChromium } from '../../src-sidecar/shell/find-chromium.ts'
import { closeSidecar, type RunningSidecar, startSidecar } from '../helpers/sidecar.ts'
import { liveDescendants, takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'

const executablePath = findChromium(process.env)
if (executablePath === null && process.env.STABLENEW_NO_BROWSER !== '1')
  throw new Error('no Chromium for the end-to-end test: run npm test')

const baseline = takeBaseline()
let browser: Browser | undefined
let sidecar: RunningSidecar | undefined

beforeAll(async () => {
  if (executablePath === null) return
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  })
})

afterAll(async () => {
  if (sidecar?.child.exitCode === null) sidecar.child.kill('SIGKILL')
  await sidecar?.ended
  await browser?.close()
  await baseline.expectNothingLeft()
})

test.skipIf(executablePath === null)(
  'the selftest is run from the Diagnostics page, passes, is stopped half-way, and ends with the app',
  async () => {
    sidecar = await startSidecar()
    const { get, child } = sidecar
    const state = () => get<SelftestState>('/api/selftest')
    const page = await browser!.newPage({ viewport: { width: 1280, height: 1400 }, reducedMotion: 'reduce' })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(`${sidecar.url}/?token=${sidecar.token}#/diagnostics`)
    const run = page.getByRole('button', { name: 'Run selftest' })
    await run.click()
    await page.getByText('Passed: nothing was left').waitFor({ timeout: 120_000 })
    expect((await state()).runs.map(({ id, result }) => `${id} ${result?.outcome}`)).toEqual(
      ['T1', 'T2', 'T3', 'T4', 'T5', 'T5b', 'T6', 'M'].map((id) => `${id} passed`),
    )
    expect(await page.getByRole('table', { name: 'Runs of the selftest' }).getByRole('row').count()).toBe(9)
    if (process.env.STABLENEW_SCREENSHOTS === '1')
      await page.screenshot({ path: 'docs/screenshots/diagnostics.png', fullPage: true })

    await run.click()
    const half = () => state().then(({ running, runs }) => running && runs.some(({ phase }) => phase === 'working'))
    await waitFor(half, 'a scenario at work', { ms: 20_000 })
    await page.getByRole('button', { name: 'Stop' }).click()
    await run.waitFor()
    expect(liveDescendants(child.pid)).toEqual([])

    await run.click()
    await waitFor(half, 'a scenario at work', { ms: 20_000 })
    await page.close()
    const { code } = await closeSidecar(sidecar)
    expect(code).toBe(0)
    expect(liveDescendants().filter(({ name }) => name.startsWith('node') || name === 'MainThread')).toEqual([])
    expect(problems).toEqual([])
  },
  180_000,
)
