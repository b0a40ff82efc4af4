import { expect, onTestFinished, test } from 'vitest'
import { txt2imgGraph } from '../../src-sidecar/backends/comfyui/graphs.ts'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import { addressOf, hasBrowser, useBrowser } from '../helpers/browser-page.ts'
import { ScriptedComfyui } from '../helpers/comfyui/scripted-comfyui.ts'
import { closeSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'

const { start, newPage } = useBrowser()

const file = (value: object) => ({
  name: 'workflow.json',
  mimeType: 'application/json',
  buffer: Buffer.from(JSON.stringify(value)),
})

test.skipIf(!hasBrowser)('ComfyUI and an own workflow are chosen in the settings, and make the next image', async () => {
  const comfyui = await new ScriptedComfyui().start()
  onTestFinished(() => comfyui.die())
  const sidecar = await start()
  const { page, problems } = await newPage()
  await page.goto(addressOf(sidecar))
  const open = () => page.getByRole('button', { name: 'Settings', exact: true }).click()
  await open()
  await page.getByText('ComfyUI', { exact: true }).click()
  await page.getByLabel('Address').fill(comfyui.url)
  const upload = page.getByLabel('Workflow file')
  await upload.setInputFiles(file({ nodes: [], links: [] }))
  await page.getByText('Workflow → Export (API)').waitFor()
  const graph = txt2imgGraph({
    checkpoint: 'anything.safetensors',
    prompt: '',
    negativePrompt: '',
    sampler: 'euler',
    scheduler: 'normal',
    steps: 3,
    cfgScale: 5,
    seed: 1,
    width: 96,
    height: 80,
  })
  await upload.setInputFiles(file(graph))
  expect(await page.getByLabel('seed', { exact: true }).locator('option:checked').textContent()).toBe('found: 5 KSampler: seed')
  await page.getByLabel('steps', { exact: true }).selectOption({ label: 'stays as the workflow has it' })
  await page.getByLabel('width', { exact: true }).selectOption({ label: '4 EmptyLatentImage: height' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Settings saved').waitFor()

  const [backend] = (await sidecar.get<Settings>('/api/settings')).backends
  expect(backend).toMatchObject({
    kind: 'comfyui',
    url: comfyui.url,
    workflow: { mapping: { steps: null, width: { node: '4', input: 'height' } } },
  })
  await open()
  await page.getByText(/has checkpoints, samplers, LoRAs.*It lacks upscalers/).waitFor()
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 9 } })
  const { images } = await waitForEmptyQueue(sidecar)
  expect(images[0]?.parameters).not.toContain('Steps:')
  expect(problems).toEqual([])
  await page.close()
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
