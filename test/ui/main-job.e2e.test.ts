import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findChromium } from '../../src-sidecar/shell/find-chromium.ts'
import { projectFolder, type RunningSidecar, startSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { commandLine, liveDescendants, takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'

const executablePath = findChromium(process.env)
if (executablePath === null && process.env.STABLENEW_NO_BROWSER !== '1')
  throw new Error('no Chromium for the end-to-end test: run npm test')

/** With STABLENEW_SCREENSHOTS=1 (npm run screenshots) the pictures of the README are made anew. */
const pictures = process.env.STABLENEW_SCREENSHOTS === '1' ? join(projectFolder, 'docs/screenshots') : null

const baseline = takeBaseline()
let browser: Browser
let sidecar: RunningSidecar
let withoutSidecar: ReturnType<typeof takeBaseline>

beforeAll(async () => {
  if (executablePath === null) return
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  })
  withoutSidecar = takeBaseline()
  sidecar = await startSidecar({ args: ['--draft-args', '--step-ms 60'] })
})

afterAll(async () => {
  if (sidecar?.child.exitCode === null) sidecar.child.kill('SIGKILL')
  await sidecar?.ended
  await browser?.close()
  await baseline.expectNothingLeft()
})

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === null) return
  mkdirSync(pictures, { recursive: true })
  await sharp(await page.screenshot())
    .png({ palette: true, quality: 90, effort: 10 })
    .toFile(join(pictures, `${name}.png`))
}

/** Everything that has come since the browser was started, but for the browser's own helpers. */
const ours = () => withoutSidecar.survivors().filter(({ pid }) => !commandLine(pid).includes('/chrom'))

const steps = (page: Page) => page.getByRole('progressbar').first().getAttribute('aria-valuenow').then(Number)

test.skipIf(executablePath === null)(
  'choose a pack, queue it, see it progress, see the images, Exit: nothing is left',
  async () => {
    const problems: string[] = []
    const page = await browser.newPage({
      viewport: { width: 1280, height: 800 },
      colorScheme: 'dark',
      reducedMotion: 'reduce',
      deviceScaleFactor: pictures ? 1.5 : 1,
    })
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(`${sidecar.url}/?token=${sidecar.token}`)
    await waitFor(() => !page.url().includes(sidecar.token), 'the token to leave the address bar')

    // A queue that has been at work looks like one.
    if (pictures)
      for (const pack of ['landscapes', 'portraits']) await sidecar.queue(`example/${pack}.txt`, { settings: { steps: 4 } })
    const { total } = await waitForEmptyQueue(sidecar)
    await page.getByRole('link', { name: 'Packs' }).click()
    await page.getByText('tiny worlds').first().click()
    await page.getByText('isometric diorama of a tiny ramen shop').first().waitFor()
    await picture(page, 'packs')
    await page.getByRole('button', { name: 'Queue all' }).click()

    await page.getByRole('link', { name: 'Queue' }).click()
    const first = await waitFor(async () => (await steps(page)) || false, 'progress', { ms: 20_000 })
    await waitFor(async () => (await steps(page)) > first, 'more progress', { ms: 20_000 })
    await waitFor(
      () =>
        page
          .locator('img[src*="/preview"]')
          .evaluateAll((images) => images.some((image) => (image as HTMLImageElement).naturalWidth > 0)),
      'a decoded preview',
      { ms: 20_000 },
    )
    expect(ours().length).toBeGreaterThan(1)
    if (pictures) await waitFor(async () => (await steps(page)) >= 75, 'a picture that can be seen', { ms: 20_000 })
    await picture(page, 'queue')

    // A reload is no close, and the page comes back to where it was.
    await page.reload()
    await waitFor(async () => (await steps(page)) > 0, 'progress after the reload', { ms: 20_000 })

    await page.getByRole('link', { name: 'Gallery' }).click()
    const thumbnails = page.locator('main img[src*="/thumbnail"]')
    await waitFor(async () => (await thumbnails.count()) === total + 6, 'six images more', { ms: 60_000 })
    await waitFor(
      () =>
        thumbnails.evaluateAll((images) =>
          images.every((image) => (image as HTMLImageElement).complete && (image as HTMLImageElement).naturalWidth > 0),
        ),
      'all images decoded',
      { ms: 20_000 },
    )
    await thumbnails.first().click()
    const large = page.locator('img[src*="/file"]').first()
    await waitFor(
      async () => (await large.evaluate((image) => (image as HTMLImageElement).naturalWidth)) === 512,
      'the picture itself',
    )
    for (const words of ['Euler a', 'CFG scale', 'rooftop garden above a futuristic city'])
      await page.getByText(words).first().waitFor()
    await page.keyboard.press('Escape')
    await picture(page, 'gallery')

    await page.getByRole('button', { name: 'Exit' }).click()
    const { code } = await sidecar.ended
    expect(code).toBe(0)
    await waitFor(() => ours().length === 0, 'an empty process table')
    await page.getByText('StableNew has closed').waitFor()
    expect(liveDescendants().some(({ name }) => name.startsWith('chrom'))).toBe(true)
    expect(problems).toEqual([])
  },
  // Its waits have deadlines of their own, which say what was waited for.
  240_000,
)
