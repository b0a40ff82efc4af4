import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { Experiment, Recommendations, Review } from '../../src-sidecar/contract/learning.ts'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import { readPngText } from '../../src-sidecar/history/png-text.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

/** A sidecar that makes small images at once. */
async function startQuick(): Promise<RunningSidecar> {
  const sidecar = await start()
  const settings = await sidecar.get<Settings>('/api/settings')
  const recipe = { ...settings.recipe, steps: 1, width: 64, height: 64 }
  const backends = [{ ...settings.backends[0], stepMs: 0 }]
  await sidecar.request('/api/settings', { method: 'PUT', body: JSON.stringify({ ...settings, recipe, backends }) })
  return sidecar
}

const cfgScale = async (sidecar: RunningSidecar) => (await sidecar.get<Settings>('/api/settings')).recipe.cfgScale
const pictures = (page: Page) => page.getByRole('dialog', { name: 'Review' }).locator('img')
const shown = (page: Page) => pictures(page).evaluateAll((images) => images.map((image) => (image as HTMLImageElement).src))

/** What the rater can't see: the CFG scale of a picture, as its file has it. */
async function secret(sidecar: RunningSidecar, src: string): Promise<number> {
  const answer = await sidecar.request(new URL(src).pathname)
  const parameters = readPngText(new Uint8Array(await answer.arrayBuffer()), 'parameters') ?? ''
  return Number(/CFG scale: ([\d.]+)/.exec(parameters)?.[1])
}

/** Judges what is shown with one key, and waits for the next. @returns whether there was anything */
async function judge(page: Page, sidecar: RunningSidecar, keyFor: (values: number[]) => string): Promise<boolean> {
  const before = await shown(page)
  if (before.length === 0) return false
  await page.keyboard.press(keyFor(await Promise.all(before.map((src) => secret(sidecar, src)))))
  await waitFor(async () => (await shown(page)).join() !== before.join(), 'the next picture')
  return true
}

test.skipIf(!hasBrowser)('an experiment is made, rated blind by keyboard, seen as a plot, and its value is used', async () => {
  const sidecar = await startQuick()
  const { page, problems } = await newPage({ colorScheme: 'dark' })
  await page.goto(addressOf(sidecar, '#/learning'))
  await page.getByText('Find out what works best').waitFor()
  await page.getByRole('button', { name: 'New experiment' }).first().click()
  await page.getByLabel('Values').fill('3.1357, 6.8642, 11.1357')
  await page.getByText('Own text').click()
  await page.getByLabel('Prompt', { exact: true }).fill('a lighthouse in fog')
  await page.getByLabel('Images per value', { exact: true }).fill('7')
  await page.keyboard.press('Tab')
  await page.getByText('3 values × 1 prompt × 7 images = 21 images').waitFor()
  await page.getByRole('button', { name: 'Queue experiment' }).click()
  await page.getByRole('heading', { name: 'CFG scale, own text' }).waitFor()
  await waitForEmptyQueue(sidecar)

  await page.getByRole('button', { name: 'Review', exact: true }).click()
  await pictures(page).waitFor()
  const html = await page.locator('body').innerHTML()
  for (const told of ['3.1357', '6.8642', '11.1357', 'Euler', '.png', 'seed']) expect(html).not.toContain(told)
  expect(html).toContain('a lighthouse in fog')

  const likes = ([value = 0]: number[]) => ({ 3.1357: '2', 6.8642: '5', 11.1357: '3' })[value] ?? '?'
  const first = await shown(page)
  await judge(page, sidecar, likes)
  await page.keyboard.press('Backspace')
  await waitFor(async () => (await shown(page)).join() === first.join(), 'the same picture again')
  for (let at = 0; at < 5; at++) await judge(page, sidecar, likes)
  await page.keyboard.press(' ')
  await page.locator('.zoomed img').waitFor()
  await page.keyboard.press(' ')

  // It goes on where it was, as after a crash.
  await page.reload()
  await page.getByText('5 of 21').waitFor()
  await pictures(page).waitFor()
  while (await judge(page, sidecar, likes));
  await page.getByText('All reviewed').waitFor()
  await page.getByRole('button', { name: 'See the result' }).click()

  await page.getByText('6.8642 did best, and 3.1357, 11.1357 worse.').waitFor()
  const plot = page.getByRole('img', { name: 'CFG scale: score by value' })
  expect(await plot.locator('circle').count()).toBe(3)
  await page.getByText('Figures').click()
  expect(await page.getByRole('row').count()).toBe(4)
  expect(await cfgScale(sidecar)).toBe(7)

  await page.getByRole('button', { name: 'Use 6.8642' }).click()
  await waitFor(async () => (await cfgScale(sidecar)) === 6.8642, 'the default to change')
  await page.getByText('6.8642 is the default already.').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await waitFor(async () => (await cfgScale(sidecar)) === 7, 'the default to be as it was')

  await page.getByText('Advice', { exact: true }).click()
  await page.getByRole('article', { name: 'CFG scale' }).getByText('Found').waitFor()
  await page.getByText('From 7 comparisons of like with like, 1 prompt: 21 judgements in experiments.').waitFor()

  expect(problems).toEqual([])
  expect((await closeSidecar(sidecar)).code).toBe(0)
})

test.skipIf(!hasBrowser)(
  'pairs are judged with the arrows; a rater who sees no difference is told so; a pack gets its value',
  async () => {
    const sidecar = await startQuick()
    const make = (more: object) =>
      sidecar.post<Experiment>('/api/experiments', {
        variable: 'cfgScale',
        values: [4, 9],
        source: { from: 'pack', packId: 'example/tiny worlds.txt', prompts: [0, 1] },
        seed: 1,
        review: 'pairs',
        ...more,
      })
    const liked = await make({ images: 6 })
    const alike = await make({ images: 5, variable: 'steps', values: [1, 2], review: 'stars' })
    await waitForEmptyQueue(sidecar)
    // Most of what a rater does, through the API: the page is to be seen at the end of it.
    let { items, progress } = await sidecar.get<Review>(`/api/experiments/${alike.id}/review`)
    while (items[0] && progress.answered < progress.total - 1)
      ({ items, progress } = await sidecar.post<Review>(`/api/experiments/${alike.id}/answers`, {
        place: items[0].place,
        answer: 3,
      }))

    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar, `#/learning/${alike.id}/review`))
    await pictures(page).waitFor()
    await page.keyboard.press('3')
    await page.getByRole('button', { name: 'See the result' }).click()
    await page.getByText('It does not matter which of these you take').waitFor()

    await page.goto(addressOf(sidecar, `#/learning/${liked.id}/review`))
    await pictures(page).first().waitFor()
    expect(await pictures(page).count()).toBe(2)
    while (await judge(page, sidecar, ([left = 0, right = 0]) => (left > right ? 'ArrowLeft' : 'ArrowRight')));
    await page.getByRole('button', { name: 'See the result' }).click()
    await page.getByRole('button', { name: 'Use for tiny worlds' }).click()
    await page.getByRole('button', { name: 'Recipe' }).getByText('CFG 9').waitFor()

    // Records go out, and come in again without counting twice.
    await page.goto(addressOf(sidecar, '#/learning'))
    await page.getByRole('button', { name: 'Export records' }).click()
    const file = await page.getByText(/stablenew-learning-.*\.json/).innerText()
    await page.getByLabel('File of records').setInputFiles(file)
    await page.getByText('New: 0 experiments, 0 answers, 0 ratings.').waitFor()

    const { recommendations } = await sidecar.get<Recommendations>('/api/recommendations')
    expect(recommendations.map(({ variable, verdict, best }) => [variable, verdict, best])).toContainEqual([
      'cfgScale',
      'best',
      9,
    ])
    expect(problems).toEqual([])
    expect((await closeSidecar(sidecar)).code).toBe(0)
  },
)
