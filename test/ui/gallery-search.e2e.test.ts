import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()
const pictures = process.env.STABLENEW_LOOK

test.skipIf(!hasBrowser)(
  'images are searched, filtered by a facet, rated by a key, tagged, compared and exported',
  async () => {
    const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
    const small = { steps: 2, width: 128, height: 128 }
    await sidecar.queue('example/portraits.txt', { prompts: [0, 1], settings: small })
    await sidecar.queue('example/tiny worlds.txt', { prompts: [0, 1], images: 2, settings: { ...small, samplerName: 'DDIM' } })
    const { images } = await waitForEmptyQueue(sidecar)
    expect(images).toHaveLength(6)
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar, '#/gallery'))
    const tiles = page.locator('a[data-id]')
    const shown = (count: number) => waitFor(async () => (await tiles.count()) === count, `${count} images`, { ms: 20_000 })
    await shown(6)

    // As one types.
    await page.keyboard.press('/')
    await page.locator('input[type=search]:focus').waitFor()
    const word = images[0]!.recipe.prompt.split(/[ ,]/)[0]!
    await page.keyboard.type(word.slice(0, -1))
    const expected = images.filter(({ recipe }) =>
      new RegExp(`\\b${word.slice(0, -1)}`, 'i').test(`${recipe.prompt} ${recipe.negativePrompt}`),
    ).length
    await shown(expected)
    await page.keyboard.press('Escape')
    await shown(6)

    await page.getByRole('button', { name: 'Filters' }).click()
    await page.getByRole('checkbox', { name: /DDIM/ }).check()
    await shown(4)
    await page.getByText('4 images').waitFor()

    await tiles.first().focus()
    await page.keyboard.press('4')
    await page.getByRole('img', { name: '4 of 5 stars' }).waitFor()
    await page.getByRole('checkbox', { name: /★★★★/ }).check()
    await shown(1)
    if (pictures) await page.screenshot({ path: `${pictures}/filters.png` })
    await page.getByRole('button', { name: 'Remove Rating: ★★★★' }).click()
    await shown(4)

    await page.getByRole('button', { name: 'Saved searches' }).click()
    await page.getByLabel('Name of this search').fill('all of DDIM')
    await page.keyboard.press('Enter')
    await page.getByText('is saved').waitFor()
    await page.getByRole('button', { name: 'Clear all' }).click()
    await shown(6)
    await page.getByRole('button', { name: 'Saved searches' }).click()
    await page.getByRole('button', { name: 'all of DDIM', exact: true }).click()
    await shown(4)

    await tiles.first().focus()
    await page.keyboard.press('Space')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Space')
    await page.getByText('2 images selected').waitFor()
    await page.getByRole('button', { name: 'Tag', exact: true }).click()
    await page.getByLabel('Tag for the selected images').fill('cover')
    await page.keyboard.press('Enter')
    await page.getByRole('checkbox', { name: /cover/ }).waitFor()
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.getByRole('rowheader', { name: 'Seed' }).waitFor()
    if (pictures) await page.screenshot({ path: `${pictures}/compare.png` })
    await page.keyboard.press('Escape')

    await page.getByRole('toolbar').getByRole('button', { name: 'Export' }).click()
    const exports = join(sidecar.dataDir, 'pictures out')
    await page.getByLabel('Into a new folder within').fill(exports)
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    await page.getByText(/^2 images copied to /).waitFor()
    if (pictures) await page.screenshot({ path: `${pictures}/export.png` })
    const [made = ''] = readdirSync(exports)
    expect(readdirSync(join(exports, made))).toHaveLength(4)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^ZIP/ }).click()])
    const bytes = readFileSync(await download.path()).toString('latin1')
    // Entries in its directory: two images, two manifests.
    expect(bytes.split('PK\x01\x02')).toHaveLength(5)
    expect(download.suggestedFilename()).toMatch(/^stablenew-.*\.zip$/)

    await page.keyboard.press('Escape')
    await tiles.first().press('Enter')
    await page.getByRole('button', { name: 'Again', exact: true }).click()
    if (pictures) await page.screenshot({ path: `${pictures}/again.png` })
    await page.getByRole('button', { name: 'Queue', exact: true }).click()
    await page.getByText('1 image queued').waitFor()
    const after = await waitForEmptyQueue(sidecar)
    const first = after.images.find(({ id }) => !images.some((one) => one.id === id))!
    expect(images.some(({ seed, recipe }) => seed === first.seed && recipe.prompt === first.recipe.prompt)).toBe(true)

    // From a prompt of a pack to its images, and back to all that were made of it from one of them.
    await page.goto(addressOf(sidecar, `#/packs/${encodeURIComponent('example/portraits.txt')}`))
    await page.getByRole('button', { name: 'Images of prompt 2' }).click()
    await page.getByRole('button', { name: 'Remove Prompt row: portraits #2' }).waitFor()
    await shown(1)
    await page.getByRole('button', { name: 'Clear all' }).click()
    await shown(7)
    await page.getByRole('button', { name: 'Filters' }).click()
    await page.getByText('Prompt row', { exact: true }).waitFor()
    if (pictures) await page.screenshot({ path: `${pictures}/rows.png` })
    await tiles.last().press('Enter')
    await page.getByRole('button', { name: 'All images of this prompt row' }).waitFor()
    if (pictures) await page.screenshot({ path: `${pictures}/row-of-image.png` })
    await page.getByRole('button', { name: 'All images of this prompt row' }).click()
    await shown(1)
    expect(problems).toEqual([])
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
  120_000,
)
