import { afterEach, expect, test } from 'vitest'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { endAll, start as startEngine } from '../unit/backends/draft-engine/running-engine.ts'

// Registered first, so that it comes last: the check that nothing is left must not see it.
const { start, newPage } = useBrowser()
afterEach(endAll)

test.skipIf(!hasBrowser)(
  'a second backend is added in the settings; both make images, one is kept for a batch, and it is switched off',
  async () => {
    const engine = await startEngine('--step-ms', '60')
    const sidecar = await start()
    const { page, problems } = await newPage({ viewport: { width: 1280, height: 900 } })
    await page.goto(addressOf(sidecar, '#/packs'))
    const openSettings = () => page.getByRole('button', { name: 'Settings', exact: true }).click()
    const save = async () => {
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Settings saved').first().waitFor()
    }
    await openSettings()
    await page.getByRole('button', { name: 'Add a backend' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Second GPU')
    await page.getByLabel('Address').fill(engine.url)
    // Drafts among pictures are wanted here.
    expect(await page.getByLabel('Use Draft engine').isChecked()).toBe(false)
    await page.getByLabel('Use Draft engine').check()
    if (process.env.STABLENEW_SCREENSHOTS === '1') await page.screenshot({ path: 'docs/screenshots/backends.png' })
    await save()
    await page.getByRole('button', { name: 'Backend: Second GPU, ready' }).waitFor()
    await page.getByRole('button', { name: /^Backend: Draft engine/ }).waitFor()
    const { backends } = await sidecar.get<Settings>('/api/settings')
    expect(backends.map(({ name, kind }) => [name, kind])).toEqual([
      ['', 'draft'],
      ['Second GPU', 'sdapi'],
    ])

    await sidecar.queue('example/tiny worlds.txt', { images: 2 })
    await page.goto(addressOf(sidecar, '#/queue'))
    await waitFor(async () => (await page.getByLabel('Running job', { exact: true }).count()) === 2, 'two running jobs', {
      ms: 20_000,
    })
    await page.getByLabel('Running job', { exact: true }).getByText('Second GPU').waitFor()
    if (process.env.STABLENEW_SCREENSHOTS === '1') {
      await waitFor(async () => (await page.getByAltText('Preview of the running job').count()) === 2, 'two previews', {
        ms: 20_000,
      })
      await page.screenshot({ path: 'docs/screenshots/two-backends.png' })
    }
    expect((await waitForEmptyQueue(sidecar)).total).toBe(12)

    await page.goto(addressOf(sidecar, '#/packs'))
    await page.getByRole('button', { name: 'Recipe', exact: true }).click()
    await page.getByRole('combobox', { name: 'Backend' }).selectOption({ label: 'Second GPU' })
    await page.getByText('Checkpoint and passes').click()
    await page.getByLabel('Hires fix').check()
    await page.getByLabel('Steps', { exact: true }).fill('4')
    await page.getByRole('button', { name: 'Queue all' }).click()
    await page.getByText(/jobs queued/).waitFor()
    const { images } = await waitForEmptyQueue(sidecar)
    const added = images.slice(0, images.length - 12)
    expect(new Set(added.map(({ backend }) => backend))).toEqual(new Set(['Second GPU']))
    expect(added[0]).toMatchObject({ width: 1024, height: 1024, recipe: { hires: { scale: 2 } } })

    await openSettings()
    await page.getByLabel('Use Second GPU').uncheck()
    await save()
    await waitFor(async () => (await page.getByRole('button', { name: /^Backend: / }).count()) === 1, 'one backend')
    await sidecar.queue('example/tiny worlds.txt', { prompts: [0], pinnedTo: backends[1]!.id })
    await page.goto(addressOf(sidecar, '#/queue'))
    await page.getByText('waits for Second GPU, which is switched off').waitFor()
    expect((await sidecar.get<Queue>('/api/queue')).pendingTotal).toBe(1)
    expect(problems).toEqual([])
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
  120_000,
)
