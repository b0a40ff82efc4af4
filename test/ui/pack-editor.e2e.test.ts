import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

const text = '# My owls\n\nan owl on a branch\nneg: text\n\na fox\n'

async function openPack() {
  const dataDir = tempDir('sidecar')
  mkdirSync(join(dataDir, 'packs'))
  const path = join(dataDir, 'packs', 'owls.txt')
  writeFileSync(path, text)
  const sidecar = await start({ dataDir })
  await sidecar.post('/api/queue/pause')
  const { page, problems } = await newPage()
  await page.goto(addressOf(sidecar, '#/packs/user%2Fowls.txt'))
  return { sidecar, page, problems, path, dataDir }
}

const prompt = (page: Page, number: number) => page.getByRole('textbox', { name: `Prompt ${number}`, exact: true })
const shown = (page: Page, words: string) => page.getByLabel('Preview').getByText(words).first().waitFor()
const edit = (page: Page) => page.getByRole('button', { name: 'Edit', exact: true }).click()

test.skipIf(!hasBrowser)('a pack is edited with a live preview, undone, saved, and queued as 20 jobs', async () => {
  const { sidecar, page, problems, path } = await openPack()
  await edit(page)
  await prompt(page, 1).fill('an owl in [[mood]] light')
  await page.locator('label', { hasText: 'Matrix' }).click()
  await page.getByRole('button', { name: 'Add a slot' }).click()
  await page.getByLabel('Name of slot 1').fill('mood')
  // Typed, not filled: a line that was only begun is no value, and nothing of it is lost.
  await page.getByLabel('Values of slot 1').pressSequentially(Array.from({ length: 19 }, (_, at) => `v${at}`).join('\n'))
  await page.locator('label', { hasText: 'Preview 20' }).click()
  await shown(page, 'an owl in v0 light')
  await shown(page, 'an owl in v18 light')

  await prompt(page, 2).press('Control+Enter')
  await page.keyboard.type('a hen')
  expect(await prompt(page, 3).inputValue()).toBe('a hen')
  await page.locator('label', { hasText: 'Preview 21' }).waitFor()
  await page.getByRole('button', { name: 'Remove prompt 3' }).click()
  await page.locator('label', { hasText: 'Preview 20' }).waitFor()
  await page.getByRole('button', { name: 'Remove prompt 2' }).click()
  await page.locator('label', { hasText: 'Preview 19' }).waitFor()
  await page.keyboard.press('Control+z')
  await page.locator('label', { hasText: 'Preview 20' }).waitFor()
  await page.keyboard.press('Control+Shift+Z')
  await page.locator('label', { hasText: 'Preview 19' }).waitFor()
  await page.keyboard.press('Control+z')
  await prompt(page, 2).press('Alt+ArrowUp')
  expect(await prompt(page, 1).inputValue()).toBe('a fox')
  expect(readFileSync(path, 'utf8')).toBe(text)

  await page.keyboard.press('Control+s')
  await page.getByText('owls saved').waitFor()
  expect(readFileSync(path, 'utf8')).toBe('# My owls\n\na fox\n\nan owl in [[mood]] light\nneg: text\n')
  await page.getByRole('tab', { name: 'Preview 20' }).click()
  await shown(page, 'an owl in v7 light')
  await page.getByRole('button', { name: 'Recipe' }).click()
  await page.getByRole('button', { name: 'Sweep a setting' }).click()
  await page.getByLabel('Values of sweep 1').fill('4..5:x')
  expect(await page.getByRole('button', { name: 'Queue all' }).isDisabled()).toBe(true)
  await page.getByLabel('Values of sweep 1').fill('4..5:0.5')
  await page.getByRole('tab', { name: 'Preview 60' }).waitFor()
  await page.getByRole('button', { name: 'Remove sweep 1' }).click()
  await page.getByRole('tab', { name: 'Preview 20' }).waitFor()
  await page.getByRole('button', { name: 'Queue all' }).click()
  await page.getByText('20 jobs queued').waitFor()
  const { pending, pendingTotal } = await sidecar.get<Queue>('/api/queue')
  expect(pendingTotal).toBe(20)
  expect(pending[0]?.recipe).toMatchObject({ prompt: 'a fox' })
  expect(pending[19]?.recipe).toMatchObject({ prompt: 'an owl in v18 light', chosen: { slots: { mood: 'v18' } } })
  expect(problems).toEqual([])
})

test.skipIf(!hasBrowser)('a draft survives a crash of the page; a change on disk is seen, and the user chooses', async () => {
  const { page, path, problems } = await openPack()
  await edit(page)
  await prompt(page, 2).fill('a red fox')
  await shown(page, 'a red fox')
  await page.reload()
  await edit(page)
  await page.getByText('These are your unsaved changes').waitFor()
  expect(await prompt(page, 2).inputValue()).toBe('a red fox')

  writeFileSync(path, 'theirs\n')
  await page.getByText('The file was changed on disk.').waitFor()
  expect(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Save mine as a copy' }).click()
  await page.getByLabel('Name').fill('mine')
  await page.getByRole('button', { name: 'Save copy' }).click()
  await page.getByRole('heading', { name: 'mine' }).waitFor()
  expect(readFileSync(join(path, '../mine.txt'), 'utf8')).toBe(text.replace('a fox', 'a red fox'))
  expect(readFileSync(path, 'utf8')).toBe('theirs\n')

  // What nobody has changed follows the file.
  await waitFor(async () => (await prompt(page, 2).inputValue()) === 'a red fox', 'the copy')
  writeFileSync(join(path, '../mine.txt'), 'alone\n')
  await waitFor(async () => (await prompt(page, 1).inputValue()) === 'alone', 'what is on disk')
  expect(problems).toEqual([])
})

test.skipIf(!hasBrowser)('an example is edited as a copy, and a new pack begins with a prompt', async () => {
  const { page, dataDir, problems } = await openPack()
  await page.getByText('portraits').first().click()
  await page.getByRole('button', { name: 'Edit a copy' }).click()
  await page.getByLabel('Name').fill('faces')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'faces' }).waitFor()
  await page.getByRole('button', { name: 'Duplicate prompt 1' }).click()
  await page.keyboard.press('Control+s')
  await page.getByText('faces saved').waitFor()
  await page.getByRole('tab', { name: 'Prompts 5' }).waitFor()
  await page.getByRole('button', { name: 'New pack' }).click()
  await page.getByLabel('Name').fill('a/b')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByText(`can't have "/"`).waitFor()
  await page.getByLabel('Name').fill('first')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('heading', { name: 'first' }).waitFor()
  await page.locator('label', { hasText: 'Matrix' }).click()
  await page.getByRole('button', { name: 'Add a slot' }).click()
  await page.getByLabel('Name of slot 1').fill('mood')
  await prompt(page, 1).fill('')
  await prompt(page, 1).pressSequentially('a calm [[mo')
  await page.keyboard.press('Enter')
  await waitFor(async () => (await prompt(page, 1).inputValue()) === 'a calm [[mood]]', 'the completed name')
  await page.getByRole('button', { name: 'Discard changes' }).click()
  await waitFor(async () => (await prompt(page, 1).inputValue()).startsWith('a lighthouse'), 'the prompt of the file')
  expect(await prompt(page, 1).inputValue()).toMatch(/^a lighthouse/)
  expect(readFileSync(join(dataDir, 'packs/first.txt'), 'utf8')).toContain('# Prompts are parted')
  // The refused name is an answer of 400, which the browser itself writes down.
  expect(problems.filter((problem) => !problem.includes('400'))).toEqual([])
})
