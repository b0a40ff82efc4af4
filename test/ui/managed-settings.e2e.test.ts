import { expect, test } from 'vitest'
import { freePort } from '../../src-sidecar/backends/listening-port.ts'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { closeSidecar, projectFolder, waitForEmptyQueue } from '../helpers/sidecar.ts'

const { start, newPage } = useBrowser()

test.skipIf(!hasBrowser)('a WebUI is set up to be started, its start fails, is corrected, and makes the next image', async () => {
  const port = await freePort()
  const sidecar = await start()
  const { page, problems } = await newPage()
  await page.goto(addressOf(sidecar))
  const open = () => page.getByRole('button', { name: 'Settings', exact: true }).click()
  const save = () => page.getByRole('button', { name: 'Save' }).click()
  await open()
  await page.getByText('WebUI', { exact: true }).click()
  await page.getByLabel('Address').fill(`http://127.0.0.1:${port}`)
  await page.getByRole('switch', { name: 'Start it for me' }).check()
  await page.getByLabel('Command').fill('no-such-webui')
  await page.getByLabel('Folder', { exact: true }).fill(projectFolder)
  const line = page.getByLabel('Arguments')
  await line.fill('"src-sidecar/backends')
  await save()
  expect(await line.evaluate((field: HTMLInputElement) => field.validationMessage)).toBe('A quote is not closed.')
  await line.fill(`"src-sidecar/backends/draft-engine/main.ts" --port '${port}' --step-ms 1 --startup-ms 1500`)
  await page.getByLabel('Start-up limit (s)', { exact: true }).fill('20')
  const variables = page.getByLabel('Environment')
  await variables.fill('GREETING=hello there\nnonsense')
  await save()
  expect(await variables.evaluate((field: HTMLTextAreaElement) => field.validationMessage)).toBe('Line 2 is not like NAME=value.')
  await variables.fill('GREETING=hello there\nEMPTY=')
  await save()
  await page.getByText('Settings saved').waitFor()

  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 2, width: 64, height: 64 } })
  const banner = page.getByRole('alert')
  await banner.getByText('The backend did not start. no-such-webui is not there').waitFor()
  await banner.getByRole('button', { name: 'Try again' }).click()
  await banner.getByRole('button', { name: 'Open settings' }).click()
  expect(await line.inputValue()).toBe(`src-sidecar/backends/draft-engine/main.ts --port ${port} --step-ms 1 --startup-ms 1500`)
  const said = page.getByRole('log', { name: "Backend's log" })
  await page.getByText('Nothing yet: it was not started.').waitFor()
  // It starts, and says why it ends.
  await page.getByLabel('Command').fill(process.execPath)
  await line.fill(`-e "console.log(process.env.GREETING); console.error('no CUDA here'); process.exit(3)"`)
  await save()
  await banner.getByText('no CUDA here').waitFor()
  await banner.getByRole('button', { name: 'Open settings' }).click()
  await said.getByText('no CUDA here').waitFor()
  expect(await said.innerText()).toContain('hello there')
  await line.fill(`src-sidecar/backends/draft-engine/main.ts --port ${port} --step-ms 1 --startup-ms 1500`)
  await save()
  await page.getByRole('button', { name: /^Backend: WebUI at .*, starting…$/ }).waitFor()
  expect((await waitForEmptyQueue(sidecar)).total).toBe(1)
  await page.getByRole('button', { name: /^Backend: WebUI at .*, ready$/ }).waitFor()
  expect((await sidecar.get<Settings>('/api/settings')).backends[0]).toMatchObject({
    kind: 'sdapi',
    managed: {
      command: process.execPath,
      args: ['src-sidecar/backends/draft-engine/main.ts', '--port', String(port), '--step-ms', '1', '--startup-ms', '1500'],
      cwd: projectFolder,
      env: { GREETING: 'hello there', EMPTY: '' },
      startupLimitS: 20,
    },
  })
  await page.getByRole('button', { name: /^Backend: WebUI/ }).click()
  await page.getByText('What it says').click()
  await said.getByText(/"event":"listening"/).waitFor()
  expect(problems).toEqual([])
  await page.close()
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
