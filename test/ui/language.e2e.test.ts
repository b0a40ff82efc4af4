import { expect, test } from 'vitest'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar } from '../helpers/sidecar.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)(
  'the window is not empty where the system’s language is C, which is no language to Intl',
  async () => {
    const sidecar = await start()
    const { page, problems } = await newPage()
    // What WebKit does under LANG=C.
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C', configurable: true }))
    await page.goto(addressOf(sidecar, '#/diagnostics'))
    await page.getByText('Memory of StableNew').waitFor({ timeout: 15_000 })
    await page.getByRole('link', { name: 'Packs' }).click()
    await page.getByText('landscapes').first().waitFor()
    expect(problems).toEqual([])
    expect((await closeSidecar(sidecar)).code).toBe(0)
  },
  60_000,
)
