import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../../src-sidecar/backends/listening-port.ts'
import { defaultSettings, type Settings } from '../../src-sidecar/contract/settings.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)(
  'what a backend says is followed while it is looked at, and stands still for who scrolls up to read',
  async () => {
    const dataDir = tempDir('backend-log')
    const script = 'let i = 0; setInterval(() => console.log("loading weights, part", ++i), 50)'
    const settings: Settings = {
      ...defaultSettings,
      backends: [
        {
          id: 'one',
          name: '',
          enabled: true,
          kind: 'sdapi',
          url: `http://127.0.0.1:${await freePort()}`,
          username: '',
          password: '',
          hungAfterMin: 10,
          managed: {
            command: process.execPath,
            args: ['-e', script],
            cwd: '',
            env: {},
            startupLimitS: 600,
            startAtLaunch: false,
          },
        },
      ],
    }
    writeFileSync(join(dataDir, 'settings.json'), JSON.stringify(settings))
    const sidecar = await start({ dataDir })
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar))
    await sidecar.queue('example/portraits.txt', { prompts: [0] })
    await page.getByRole('button', { name: 'Settings', exact: true }).click()
    await page.getByText('What it says').click()
    const log = page.getByRole('log', { name: "Backend's log" })
    const seen = () =>
      log.evaluate((at: HTMLElement) => ({
        lines: at.innerText.split('\n').length,
        top: at.scrollTop,
        below: at.scrollHeight - at.scrollTop - at.clientHeight,
      }))
    const untilMoreThan = (lines: number) =>
      waitFor(async () => (await seen()).lines > lines && (await seen()), `more than ${lines} lines`)

    const first = await untilMoreThan(30)
    const later = await untilMoreThan(first.lines)
    expect([first.below, later.below]).toEqual([0, 0])
    expect(later.top).toBeGreaterThan(first.top)

    await log.evaluate((at) => at.scrollTo(0, 40))
    const up = await untilMoreThan(later.lines)
    expect(await untilMoreThan(up.lines)).toMatchObject({ top: 40 })
    expect(await log.innerText()).toMatch(/^loading weights, part 1\n/)

    await log.evaluate((at) => at.scrollTo(0, at.scrollHeight))
    expect((await untilMoreThan((await seen()).lines)).below).toBe(0)
    expect(problems).toEqual([])
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
)
