import { expect, test } from 'vitest'
import type { SelftestState } from '../../src-sidecar/contract/selftest.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar } from '../helpers/sidecar.ts'
import { liveDescendants } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)(
  'the selftest is run from the Diagnostics page, passes, is stopped half-way, and ends with the app',
  async () => {
    const sidecar = await start()
    const { get, child } = sidecar
    const state = () => get<SelftestState>('/api/selftest')
    const { page, problems } = await newPage({ viewport: { width: 1280, height: 1400 } })
    await page.goto(addressOf(sidecar, '#/diagnostics'))
    const run = page.getByRole('button', { name: 'Run selftest' })
    await run.click()
    await waitFor(async () => (await state()).verdict !== null, 'a verdict', { ms: 300_000, everyMs: 500 })
    const { runs } = await state()
    expect(runs.map(({ id }) => id)).toEqual(['T1', 'T2', 'T3', 'T4', 'T5', 'T5b', 'T6', 'M'])
    // What was wrong is in the failure's own text.
    expect(
      runs.flatMap(({ id, result }) => result?.findings.map((finding) => `${id}: ${finding}`) ?? [`${id}: no result`]),
    ).toEqual([])
    await page.getByText('Passed: nothing was left').waitFor()
    expect(await page.getByRole('table', { name: 'Runs of the selftest' }).getByRole('row').count()).toBe(9)
    if (process.env.STABLENEW_SCREENSHOTS === '1')
      // Where this run's folder was is nobody's business.
      await page.screenshot({ path: 'docs/screenshots/diagnostics.png', fullPage: true, style: '.file { visibility: hidden }' })

    await run.click()
    const half = () => state().then(({ running, runs }) => running && runs.some(({ phase }) => phase === 'working'))
    await waitFor(half, 'a scenario at work', { ms: 20_000 })
    await page.getByRole('button', { name: 'Stop' }).click()
    await run.waitFor()
    expect(liveDescendants(child.pid)).toEqual([])
    expect(await state()).toMatchObject({ running: false, verdict: null, problem: null })

    await run.click()
    await waitFor(half, 'a scenario at work', { ms: 20_000 })
    await page.close()
    const { code } = await closeSidecar(sidecar)
    expect(code).toBe(0)
    expect(liveDescendants().filter(({ name }) => name.startsWith('node') || name === 'MainThread')).toEqual([])
    expect(problems).toEqual([])
  },
  400_000,
)
