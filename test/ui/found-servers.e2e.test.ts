import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, projectFolder, waitForEmptyQueue } from '../helpers/sidecar.ts'

// Before the helpers are imported: they hand our environment on. The sidecar looks below the home folder.
const home = await vi.hoisted(async () => {
  const { mkdtempSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  process.env.HOME = mkdtempSync(`${tmpdir()}/stablenew-home-`)
  return process.env.HOME
})
afterAll(() => rmSync(home, { recursive: true, force: true }))
const { start, newPage } = useBrowser()

/** A Forge whose Python is Node, and whose launcher runs the draft engine. */
function installForge(): string {
  const folder = join(home, 'AI', 'forge')
  for (const part of ['modules', 'modules_forge', 'venv/bin']) mkdirSync(join(folder, part), { recursive: true })
  symlinkSync(process.execPath, join(folder, 'venv/bin/python'))
  const engine = pathToFileURL(join(projectFolder, 'src-sidecar/backends/draft-engine/main.ts'))
  writeFileSync(join(folder, 'launch.py'), `process.argv = process.argv.filter((one) => one !== '--api'); import('${engine}')`)
  writeFileSync(join(folder, 'webui-user.sh'), 'export COMMANDLINE_ARGS="--step-ms 1"\n')
  return folder
}

test.skipIf(!hasBrowser)(
  'a WebUI is found on the machine, taken over with a click, makes an image, and frees its memory',
  async () => {
    const folder = installForge()
    const sidecar = await start()
    const { page, problems } = await newPage()
    await page.goto(addressOf(sidecar))
    await page.getByRole('button', { name: 'Settings', exact: true }).click()
    await page.getByText('WebUI', { exact: true }).click()
    await page.getByRole('button', { name: 'Find on this machine' }).click()
    const found = page.getByRole('list', { name: 'Found on this machine' }).getByRole('listitem')
    await found.getByText('Python of its venv').waitFor()
    expect(await found.count()).toBe(1)
    await page.getByRole('button', { name: `Use Forge in ${folder}` }).click()
    expect(await page.getByLabel('Arguments').inputValue()).toMatch(/^launch\.py --api --port \d+ --step-ms 1$/)
    expect(await page.getByLabel('Environment').inputValue()).toBe('SD_WEBUI_RESTARTING=1')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Settings saved').waitFor()
    const [backend] = (await sidecar.get<Settings>('/api/settings')).backends
    expect(backend).toMatchObject({ kind: 'sdapi', managed: { command: join(folder, 'venv/bin/python'), cwd: folder } })

    await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 2, width: 64, height: 64 } })
    expect((await waitForEmptyQueue(sidecar)).total).toBe(1)
    await page.getByRole('button', { name: /^Backend: WebUI at .*, ready$/ }).click()
    await page.getByRole('button', { name: 'Free memory' }).click()
    await page.getByText('Memory freed').waitFor()
    expect(problems).toEqual([])
    await page.close()
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
)
