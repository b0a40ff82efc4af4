import { expect, test } from 'vitest'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)('an image that is made while the gallery is being fetched is shown', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 0'] })
  const { page, problems } = await newPage()
  let held = false
  await page.route('**/api/images?*', async (route) => {
    if (held) return await route.continue()
    held = true
    // The answer is as it was before the image.
    const response = await route.fetch()
    await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { width: 64, height: 64, steps: 1 } })
    expect((await waitForEmptyQueue(sidecar)).total).toBe(1)
    await route.fulfill({ response })
  })
  await page.goto(addressOf(sidecar, '#/gallery'))
  await page.locator('main img[src*="/thumbnail"]').waitFor({ timeout: 20_000 })
  await page.getByText('1 image', { exact: true }).waitFor()
  expect(problems).toEqual([])
  await page.close()
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
