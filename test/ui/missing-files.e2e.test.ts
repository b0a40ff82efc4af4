import { readdirSync, renameSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'

const { start, newPage } = useBrowser()
const pictures = process.env.STABLENEW_LOOK

test.skipIf(!hasBrowser)(
  'images whose file is gone are found, filtered, found again at their new place, and removed',
  async () => {
    const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
    const settings = { steps: 2, width: 128, height: 128 }
    await sidecar.queue('example/portraits.txt', { prompts: [0, 1], images: 2, settings })
    await sidecar.queue('example/tiny worlds.txt', { prompts: [0], images: 2, settings })
    const { images } = await waitForEmptyQueue(sidecar)
    const portraits = images.filter(({ packName }) => packName === 'portraits')
    const lost = images.find(({ packName }) => packName === 'tiny worlds')!
    const folder = dirname(portraits[0]!.path)
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar, '#/gallery'))
    const tiles = page.locator('a[data-id]')
    await expect.poll(() => tiles.count()).toBe(6)
    const dialog = page.getByRole('dialog', { name: 'Missing files' })
    const look = async () => {
      await dialog.getByRole('button', { name: 'Look for missing files' }).click()
      await dialog.getByText(/^Done/).waitFor()
    }

    const moved = join(sidecar.dataDir, 'moved away')
    renameSync(folder, moved)
    unlinkSync(lost.path)
    await page.getByRole('button', { name: 'Look for missing files' }).click()
    await look()
    await dialog.getByText(/4 images · the whole folder is not there/).waitFor()
    await dialog.getByText(/1 image · files are gone from this folder/).waitFor()
    if (pictures) await page.screenshot({ path: `${pictures}/missing-dialog.png` })
    await page.keyboard.press('Escape')
    await page.getByText(`The folder ${folder} is not there, with the files of 4 images. Is a drive not plugged in?`).waitFor()
    await expect.poll(() => page.getByText('File is gone').count()).toBe(5)
    if (pictures) await page.screenshot({ path: `${pictures}/missing-gallery.png` })

    await page.getByRole('button', { name: 'Show them' }).click()
    await expect.poll(() => tiles.count()).toBe(5)
    await tiles.first().focus()
    await page.keyboard.press('Space')
    await page.getByRole('toolbar').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('This image is forgotten with prompt, rating and tags.').waitFor()
    if (pictures) {
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.screenshot({ path: `${pictures}/missing-selected.png` })
    }
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByRole('button', { name: 'Clear the selection' }).click()
    await page.getByRole('button', { name: 'What to do' }).click()
    await dialog.getByRole('button', { name: 'Find moved folder' }).first().click()
    await dialog.getByLabel('Where it is now').fill(moved)
    if (pictures) await page.screenshot({ path: `${pictures}/missing-find.png` })
    await page.keyboard.press('Enter')
    await dialog.getByText('Done: 4 images found at a new place.').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => tiles.count()).toBe(1)

    await tiles.first().press('Enter')
    await page.getByRole('heading', { name: 'The file is gone' }).waitFor()
    if (pictures) await page.screenshot({ path: `${pictures}/missing-image.png` })
    await page.getByRole('button', { name: 'Remove from the history' }).click()
    if (pictures) await page.screenshot({ path: `${pictures}/missing-remove.png` })
    await page.getByRole('button', { name: 'Remove from the history' }).click()
    await page.getByText('Nothing was made like that').waitFor()
    await page.getByRole('button', { name: 'Clear the search' }).click()
    await expect.poll(() => tiles.count()).toBe(5)
    await expect.poll(() => page.getByText('File is gone').count()).toBe(0)
    const thumbnails = () =>
      readdirSync(join(sidecar.dataDir, 'cache/thumbnails')).filter((name) => name.startsWith(`${lost.id}-`))
    await expect.poll(thumbnails).toEqual([])
    const after = await sidecar.get<ImagePage>('/api/images')
    expect(after.total).toBe(5)
    expect(after.images.filter(({ path }) => dirname(path) === moved)).toHaveLength(4)
    // The thumbnails of what was gone are asked for and not there.
    expect(problems.filter((problem) => !/404/.test(problem))).toEqual([])
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
  120_000,
)
