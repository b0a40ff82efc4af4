import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import { withPngText } from '../../src-sidecar/history/png-text.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

/** As if a file were dragged from a folder onto the window. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, base64 }) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))], name))
      return transfer
    },
    { name, base64: bytes.toString('base64') },
  )
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer })
  await page.getByText('Drop a picture').waitFor()
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
}

test.skipIf(!hasBrowser)(
  'a picture that is dropped is made again, varied, and its settings are taken; a file that is none is refused',
  async () => {
    const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar, '#/packs'))
    await page.getByRole('heading', { name: 'Packs' }).waitFor()
    const blank = await sharp({ create: { width: 128, height: 64, channels: 3, background: '#a63' } })
      .png()
      .toBuffer()
    const text = 'a red fox\nNegative prompt: blurry\nSteps: 3, Sampler: DDIM, CFG scale: 5, Seed: 77, Size: 64x128, RNG: CPU'
    const picture = withPngText(blank, 'parameters', text)
    const total = (wanted: number) =>
      waitFor(async () => (await sidecar.get<ImagePage>('/api/images')).total === wanted, `${wanted} images`, { ms: 20_000 })

    await drop(page, 'fox.png', picture)
    const dialog = page.getByRole('dialog', { name: 'fox.png' })
    await dialog.getByText('Not used: RNG.').waitFor()
    expect(await dialog.getByLabel('Prompt', { exact: true }).inputValue()).toBe('a red fox')
    await dialog.getByRole('button', { name: 'Queue', exact: true }).click()
    await total(1)

    await drop(page, 'fox.png', picture)
    await dialog.getByText('Vary').click()
    await dialog.getByRole('button', { name: 'Queue variations' }).click()
    await total(2)

    await drop(page, 'fox.png', picture)
    await dialog.getByRole('button', { name: 'Use for packs' }).click()
    await page
      .getByRole('button', { name: 'Recipe', exact: true })
      .getByText('64 × 128 · 3 steps · DDIM · CFG 5 · seed 77')
      .waitFor()

    const before = problems.length
    await drop(page, 'notes.txt', Buffer.from('no picture'))
    await page.getByRole('dialog', { name: 'notes.txt' }).getByText('That is no picture.').waitFor()
    await page.getByRole('button', { name: 'Close' }).first().click()
    // What the browser itself writes about the answer 422.
    expect(problems.slice(before).every((one) => one.includes('422'))).toBe(true)
    expect(problems.slice(0, before)).toEqual([])

    const { images } = await sidecar.get<ImagePage>('/api/images')
    expect(images.map(({ recipe, seed }) => [recipe.source?.as ?? 'txt2img', seed === 77])).toEqual([
      ['img2img', false],
      ['txt2img', true],
    ])
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
)

test.skipIf(!hasBrowser)(
  'stages are put together in the recipe, shown while they run and at the image; files are named in the settings',
  async () => {
    const sidecar = await start({ args: ['--draft-args', '--step-ms 40'] })
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar, '#/packs'))
    await page.getByRole('button', { name: 'Settings' }).click()
    const name = page.getByLabel('File name')
    await name.fill('[pack]/[seed]-[nonsense]')
    await page.getByText('foxes/1234567-[nonsense].png').waitFor()
    await page.getByText('[nonsense] means nothing').waitFor()
    await name.fill('[pack]/[stage]-')
    await page.getByRole('button', { name: /^Insert seed/ }).click()
    await page.getByText('WebP', { exact: true }).click()
    await page.getByText('foxes/txt2img-1234567.webp').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Settings saved').waitFor()
    expect((await sidecar.get<Settings>('/api/settings')).recipe).toMatchObject({
      filePattern: '[pack]/[stage]-[seed]',
      fileFormat: 'webp',
    })

    await page.getByRole('link', { name: /portraits/ }).click()
    await page.getByRole('button', { name: 'Recipe', exact: true }).click()
    await page.getByLabel('Width', { exact: true }).fill('128')
    await page.getByLabel('Height', { exact: true }).fill('128')
    await page.getByText('none after txt2img').click()
    await page.getByRole('button', { name: 'Add Upscale' }).click()
    await page.getByRole('button', { name: 'Add img2img' }).click()
    await page.getByRole('button', { name: 'Stage 3 earlier' }).click()
    await page.getByLabel('Stage 2: img2img').getByLabel('Keep the image before it').check()
    await page.getByText('img2img 0.3 → upscale ×2').waitFor()
    await page.getByLabel('Only the first').fill('1')
    await page.getByLabel('Only the first').press('Tab')
    await page.getByRole('button', { name: 'Queue all' }).click()
    await page.getByText('1 job queued').waitFor()
    await page.goto(addressOf(sidecar, '#/queue'))
    await page.getByText(/img2img, 2 of 3 · step/).waitFor()
    const [image] = (await waitForEmptyQueue(sidecar)).images
    expect(image).toMatchObject({ stage: 2, fileName: `upscale-${image!.seed}.webp`, width: 256 })
    await page.goto(addressOf(sidecar, `#/gallery/${image!.id}`))
    await page.getByRole('heading', { name: 'Stages' }).waitFor()
    await page.getByRole('link', { name: 'txt2img' }).waitFor()
    await page.getByRole('link', { name: 'txt2img' }).click()
    await page.getByText(`txt2img-${image!.seed}.webp`).waitFor()
    expect(problems).toEqual([])
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
)
