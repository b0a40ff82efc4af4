import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue, waitForJob } from '../helpers/sidecar.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'

const { start } = trackSidecars()

async function again(sidecar: RunningSidecar, { id }: Image, request: object): Promise<Image[]> {
  const { jobIds } = await sidecar.post<{ jobIds: number[] }>(`/api/images/${id}/queue`, request)
  const { images } = await waitForEmptyQueue(sidecar)
  return images.filter(({ jobId }) => jobIds.includes(jobId))
}

test('an image of the history is varied by img2img and made larger, and each result can be gone on with', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
  await sidecar.queue('example/portraits.txt', { prompts: [1], settings: { steps: 4, width: 128, height: 64 }, seed: 7 })
  const [first] = (await waitForEmptyQueue(sidecar)).images as [Image]

  const varied = await again(sidecar, first, { source: { as: 'img2img', denoisingStrength: 0.4 }, images: 2, prompt: 'a fox' })
  expect(varied).toHaveLength(2)
  for (const one of varied) {
    expect(one).toMatchObject({ width: 128, height: 64, packName: first.packName })
    expect(one.recipe).toMatchObject({ prompt: 'a fox', steps: 4, source: { as: 'img2img', path: first.path } })
    expect(one.parameters).toMatch(/^a fox\n.*Denoising strength: 0\.4/s)
  }
  const [larger] = (await again(sidecar, varied[0]!, { source: { as: 'upscale', upscaler: 'Lanczos', scale: 2 } })) as [Image]
  expect(larger).toMatchObject({ width: 256, height: 128, recipe: { source: { as: 'upscale', path: varied[0]!.path } } })
  expect(larger.parameters).toContain('Postprocess upscale by: 2, Postprocess upscaler: Lanczos')
  const [last] = (await again(sidecar, larger, { source: { as: 'img2img' } })) as [Image]
  expect(last).toMatchObject({ width: 256, height: 128 })
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a job whose picture has gone, or whose upscaler is not there, fails with the reason', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1, width: 64, height: 64 } })
  const [image] = (await waitForEmptyQueue(sidecar)).images as [Image]
  const failed = async (source: object) => {
    const { jobIds } = await sidecar.post<{ jobIds: [number] }>(`/api/images/${image.id}/queue`, { source })
    return (await waitForJob(sidecar, jobIds[0], 'failed')).problem?.message
  }
  expect(await failed({ as: 'upscale', upscaler: 'gone' })).toMatch(/could not find upscaler named gone/)
  rmSync(image.path)
  expect(await failed({ as: 'img2img' })).toContain(`The picture ${image.path}, with which this job begins, can't be read`)
  const wrong = await sidecar.request(`/api/images/${image.id}/queue`, { method: 'POST', body: '{"source": {"as": "magic"}}' })
  expect(wrong.status).toBe(400)
  expect((await sidecar.request('/api/images/999/queue', { method: 'POST', body: '{"source": {"as": "img2img"}}' })).status).toBe(
    404,
  )
  expect((await sidecar.get<ImagePage>('/api/images')).total).toBe(1)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
