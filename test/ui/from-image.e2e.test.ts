import { expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)(
  'an image in the gallery is varied, made larger and experimented with; the keys of the dialog write into its form',
  async () => {
    const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
    await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 2, width: 128, height: 128 } })
    const [first] = (await waitForEmptyQueue(sidecar)).images
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar, `#/gallery/${first!.id}`))
    await page.getByRole('button', { name: 'Vary' }).click()
    const prompt = page.getByLabel('Prompt', { exact: true })
    await prompt.fill('a fo')
    await prompt.press('z')
    await prompt.press('ArrowLeft')
    await prompt.press('x')
    await prompt.press('i')
    expect(await prompt.inputValue()).toBe('a foxiz')
    await page.getByLabel('Images', { exact: true }).fill('2')
    await page.getByRole('button', { name: 'Queue variations' }).click()
    await page.getByText('2 images queued').waitFor()
    const total = (wanted: number) =>
      waitFor(async () => (await sidecar.get<ImagePage>('/api/images')).total === wanted, `${wanted} images`, { ms: 20_000 })
    await total(3)
    await page.getByRole('button', { name: 'Upscale', exact: true }).click()
    await page.getByLabel('Upscaler').fill('Lanczos')
    await page.getByRole('button', { name: 'Queue upscale' }).click()
    await total(4)
    const { images } = await waitForEmptyQueue(sidecar)
    expect(images.map(({ width, recipe }) => [width, recipe.source?.as, recipe.prompt === 'a foxiz'])).toEqual([
      [256, 'upscale', false],
      [128, 'img2img', true],
      [128, 'img2img', true],
      [128, undefined, false],
    ])
    await page.goto(addressOf(sidecar, `#/gallery/${images[0]!.id}`))
    await page.getByText(/\(Lanczos ×2\)/).waitFor()
    await page.goto(addressOf(sidecar, `#/gallery/${first!.id}`))
    await page.getByRole('button', { name: 'Experiment with its recipe' }).click()
    await page.getByRole('heading', { name: 'New experiment' }).waitFor()
    expect(await page.getByLabel('Prompt', { exact: true }).inputValue()).toBe(first!.recipe.prompt)
    await page.getByRole('button', { name: 'Everything else in the recipe (changed)' }).click()
    expect(await page.getByLabel('Width', { exact: true }).inputValue()).toBe('128')
    expect(problems).toEqual([])
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
  90_000,
)
