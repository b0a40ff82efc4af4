import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import type { RunningSidecar } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

/** A sidecar with a pack of so many prompts, `thing 1` and so on, and its queue page. */
async function openQueue(prompts: number, stepMs = 60) {
  const dataDir = tempDir('sidecar')
  mkdirSync(join(dataDir, 'packs'))
  const text = Array.from({ length: prompts }, (_, at) => `thing ${at + 1}\n`).join('\n')
  writeFileSync(join(dataDir, 'packs', 'things.txt'), text)
  const sidecar = await start({ dataDir, args: ['--draft-args', `--step-ms ${stepMs}`] })
  const { page, problems } = await newPage()
  return { sidecar, page, problems }
}
const small = { width: 128, height: 128, steps: 10 }

const prompts = async (sidecar: RunningSidecar): Promise<string[]> =>
  (await sidecar.get<Queue>('/api/queue?limit=500')).pending.map(({ recipe }) => recipe.prompt.replace('thing ', ''))
const row = (page: Page, number: number): Locator =>
  page.getByRole('row').filter({ hasText: new RegExp(`thing ${number}(?!\\d)`) })
const shown = (page: Page) =>
  page
    .getByRole('row')
    .evaluateAll((rows) =>
      rows
        .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
        .map((one) => /thing (\d+)/.exec(one.textContent ?? '')?.[1] ?? '?'),
    )

async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  const [a, b] = [(await from.boundingBox())!, (await to.boundingBox())!]
  await page.mouse.move(a.x + 8, a.y + a.height / 2)
  await page.mouse.down()
  await page.mouse.move(a.x + 30, a.y + a.height / 2 - 12, { steps: 3 })
  // Upper half: before it.
  await page.mouse.move(b.x + 30, b.y + 4, { steps: 5 })
  await page.mouse.up()
}

test.skipIf(!hasBrowser)(
  'a pack is queued, put in order with mouse and keys, paused, one job edited, resumed, the rest cancelled: the image is as edited',
  async () => {
    const { sidecar, page, problems } = await openQueue(20)
    await page.goto(addressOf(sidecar, '#/packs/user%2Fthings.txt'))
    await page.getByRole('button', { name: 'Recipe' }).click()
    await page.getByLabel('Width', { exact: true }).fill('128')
    await page.getByLabel('Height', { exact: true }).fill('128')
    await page.getByLabel('Steps', { exact: true }).fill('30')
    await page.getByRole('button', { name: 'Queue all' }).click()
    await page.getByText('20 jobs queued').waitFor()
    await page.getByRole('link', { name: 'Queue' }).click()

    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    await waitFor(async () => (await sidecar.get<Queue>('/api/queue')).running.length === 0, 'the image that was being made', {
      ms: 20_000,
    })
    const before = await prompts(sidecar)
    expect(before.at(-1)).toBe('20')
    await waitFor(async () => (await shown(page)).join() === before.join(), 'the queue on the page')

    await drag(page, row(page, 18), row(page, 10))
    const dragged = [...before.filter((one) => one !== '18')]
    dragged.splice(dragged.indexOf('10'), 0, '18')
    await waitFor(async () => (await prompts(sidecar)).join() === dragged.join(), 'the new order')

    // Two more with Ctrl, one up as a block.
    await row(page, 12).click()
    await row(page, 13).click({ modifiers: ['Control'] })
    await page.getByText('2 selected').waitFor()
    await page.keyboard.press('Alt+ArrowUp')
    await waitFor(async () => (await prompts(sidecar)).join(' ').includes('18 10 12 13 11'), 'the block')
    await page.keyboard.press('Alt+Home')
    await waitFor(async () => (await prompts(sidecar)).slice(0, 2).join() === '12,13', 'them at the top')
    await waitFor(async () => (await shown(page)).slice(0, 2).join() === '12,13', 'them at the top of the page')
    await page.keyboard.press('Escape')

    await row(page, 20).click()
    await page.keyboard.press('Enter')
    await page.getByLabel('Prompt', { exact: true }).fill('thing 20 in the rain')
    await page.getByLabel('Steps', { exact: true }).fill('7')
    await page.getByLabel('Seed', { exact: true }).fill('4242')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('row', { name: /thing 20 in the rain.*7 steps/ }).waitFor()
    await page.getByRole('button', { name: 'Run next' }).click()
    await waitFor(async () => (await prompts(sidecar))[0] === '20 in the rain', 'the edited one at the top')

    await page.getByRole('button', { name: 'Resume' }).click()
    await waitFor(
      async () => (await sidecar.get<ImagePage>('/api/images')).images.some(({ seed }) => seed === 4242),
      'its image',
      { ms: 20_000 },
    )
    await page.getByRole('button', { name: 'Cancel all pending' }).click()
    await page.getByText(/\d+ jobs cancelled/).waitFor()
    await waitFor(async () => (await sidecar.get<Queue>('/api/queue')).pendingTotal === 0, 'an empty queue')
    const { images } = await sidecar.get<ImagePage>('/api/images')
    const edited = images.find(({ seed }) => seed === 4242)!
    expect(edited.parameters).toMatch(/^thing 20 in the rain\n.*Steps: 7,.*Seed: 4242,.*Size: 128x128/s)
    expect(edited.recipe).toMatchObject({ prompt: 'thing 20 in the rain', steps: 7, seed: 4242 })
    expect(problems).toEqual([])
  },
)

test.skipIf(!hasBrowser)('jobs are chosen, put first, copied, cancelled and put back; many are edited at once', async () => {
  const { sidecar, page, problems } = await openQueue(8)
  await sidecar.post('/api/queue/pause')
  await sidecar.queue('user/things.txt', { settings: small })
  await page.goto(addressOf(sidecar, '#/queue'))
  await row(page, 3).click()
  await row(page, 5).click({ modifiers: ['Shift'] })
  await page.getByText('3 selected').waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Edit 3 jobs' }).waitFor()
  await page.getByLabel('CFG scale', { exact: true }).fill('3.5')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const cfg = async () => (await sidecar.get<Queue>('/api/queue')).pending.map(({ recipe }) => recipe.cfgScale)
  expect(await cfg()).toEqual([7, 7, 3.5, 3.5, 3.5, 7, 7, 7])

  await row(page, 7).click({ button: 'right' })
  await page.getByRole('menuitemradio', { name: 'High priority' }).click()
  await waitFor(async () => (await shown(page))[0] === '7', 'the one of a high priority at the top')
  await row(page, 2).click()
  await page.keyboard.press('Control+d')
  await waitFor(async () => (await shown(page)).join() === '7,1,2,2,3,4,5,6,8', 'the copy')
  await row(page, 8).click()
  await page.keyboard.press('Shift+ArrowUp')
  await page.getByText('2 selected').waitFor()
  await page.keyboard.press('Delete')
  await page.getByText('2 jobs cancelled').waitFor()
  expect(await prompts(sidecar)).toEqual(['7', '1', '2', '2', '3', '4', '5'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await waitFor(async () => (await prompts(sidecar)).join() === '7,1,2,2,3,4,5,6,8', 'them at their places')
  await waitFor(async () => (await shown(page)).join() === '7,1,2,2,3,4,5,6,8', 'them on the page')
  expect(problems).toEqual([])
})

test.skipIf(!hasBrowser)(
  'a queue of 20,000 is scrolled to its end, keeps its place while jobs are done, and is put in order there',
  async () => {
    const { sidecar, page, problems } = await openQueue(4, 5)
    await sidecar.post('/api/queue/pause')
    const seeds = Array.from({ length: 5000 }, (_, at) => at)
    const many = { settings: { ...small, steps: 4 }, sweeps: [{ key: 'seed', values: seeds }] }
    const jobIds = await sidecar.queue('user/things.txt', many)
    expect(jobIds).toHaveLength(20_000)
    await page.goto(addressOf(sidecar, '#/queue'))
    const grid = page.getByRole('grid')
    await page.locator('[aria-rowindex="1"] [data-seed]').waitFor()
    await grid.focus()
    await page.keyboard.press('End')
    const last = page.locator('[aria-rowindex="20000"]')
    await last.locator('[data-seed]').waitFor()
    expect(await page.getByRole('row').count()).toBeLessThan(100)
    await page.keyboard.press('Alt+ArrowUp')
    await waitFor(async () => {
      const { pending } = await sidecar.get<Queue>('/api/queue?offset=19998')
      return pending.map(({ id }) => id).join() === `${jobIds.at(-1)},${jobIds.at(-2)}`
    }, 'the last one before the one above it')

    // Jobs that are done at the top move no row under the eyes.
    const scroller = page.locator('[data-scroller]')
    await scroller.evaluate((element) => {
      element.scrollTop = element.scrollHeight / 2
    })
    const inMiddle = page.getByRole('row').nth(15)
    await inMiddle.locator('[data-seed]').waitFor()
    /** The job in the middle of the screen, by its number and its seed. */
    const middle = () =>
      scroller.evaluate((element) => {
        const { left, top, width, height } = element.getBoundingClientRect()
        const row = document.elementFromPoint(left + width / 2, top + height / 2)?.closest('[role=row]')
        const text = row?.querySelector('[data-seed]')
        return { seed: text?.getAttribute('data-seed'), place: Number(row?.getAttribute('aria-rowindex')) }
      })
    const before = await middle()
    await sidecar.post('/api/queue/resume')
    await waitFor(
      async () => {
        const { seed, place } = await middle()
        return seed === before.seed && place <= before.place - 3
      },
      'the same job in the middle, and three less above',
      { ms: 20_000, everyMs: 50 },
    )
    await sidecar.post('/api/queue/cancel', { running: 'cancel' })
    await waitFor(async () => (await sidecar.get<Queue>('/api/queue')).pendingTotal === 0, 'an empty queue', { ms: 20_000 })
    expect(problems).toEqual([])
  },
)
