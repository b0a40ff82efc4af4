import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)(
  'a folder that is gone is told in a banner; Resume says that it still is, and goes on when it is back',
  async () => {
    const sidecar = await start()
    const images = join(sidecar.dataDir, 'images')
    writeFileSync(join(sidecar.dataDir, 'packs', 'fox.txt'), 'a red fox\n')
    await waitFor(async () => (await sidecar.request('/api/pack?id=user/fox.txt')).ok, 'the pack')
    renameSync(images, `${images}-away`)
    const { page } = await newPage()
    await page.goto(addressOf(sidecar, '#/queue'))
    await sidecar.queue('user/fox.txt', { images: 2 })
    const banner = page.getByRole('alert').filter({ hasText: 'The folder is gone' })
    await banner.waitFor()
    await waitFor(async () => (await banner.textContent())?.includes('2 images are made and saved then'), 'both in hand', {
      ms: 20_000,
    })
    expect(await banner.textContent()).toContain(images)
    await banner.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('It could not be saved').waitFor()
    renameSync(`${images}-away`, images)
    await banner.waitFor({ state: 'detached' })
    const status = () => sidecar.get<Status>('/api/status')
    expect((await status()).storage).toBeNull()
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
)
