import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import { maxPictureBytes, type ReadPicture } from '../../src-sidecar/contract/picture-settings.ts'
import { withPngText } from '../../src-sidecar/history/png-text.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'

const { start } = trackSidecars()

const blank = await sharp({ create: { width: 128, height: 64, channels: 3, background: '#a63' } })
  .png()
  .toBuffer()
const text = 'a red fox\nNegative prompt: blurry\nSteps: 3, Sampler: DDIM, CFG scale: 5, Seed: 77, Size: 64x128'

const read = async (sidecar: RunningSidecar, body: Buffer) => {
  const answer = await sidecar.request('/api/pictures/read', {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'image/png' },
  })
  return { status: answer.status, json: await answer.json() }
}
const queue = async (sidecar: RunningSidecar, picture: Buffer | null, request: unknown) => {
  const form = new FormData()
  if (picture) form.append('picture', new File([new Uint8Array(picture)], 'fox.png'))
  form.append('request', typeof request === 'string' ? request : JSON.stringify(request))
  const { authorization } = { authorization: `Bearer ${sidecar.token}` }
  const answer = await fetch(`${sidecar.url}/api/pictures/queue`, { method: 'POST', body: form, headers: { authorization } })
  return { status: answer.status, json: await answer.json() }
}
const pictures = ({ dataDir }: RunningSidecar) =>
  existsSync(join(dataDir, 'pictures')) ? readdirSync(join(dataDir, 'pictures')) : []

test('copies of pictures that no job begins with any more are gone after the next start, where they are older than a day', async () => {
  const first = await start({ args: ['--draft-args', '--step-ms 1'] })
  const request = { name: 'fox.png', prompt: 'a fox', negativePrompt: '', source: { as: 'img2img' } }
  expect((await queue(first, blank, request)).status).toBe(201)
  await waitForEmptyQueue(first)
  const [used = ''] = pictures(first)
  await closeSidecar(first)
  const put = (name: string) => writeFileSync(join(first.dataDir, 'pictures', name), blank)
  for (const name of ['unused.png', 'half-written.png.123', 'young.png']) put(name)
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400
  for (const name of [used, 'unused.png', 'half-written.png.123'])
    utimesSync(join(first.dataDir, 'pictures', name), twoDaysAgo, twoDaysAgo)
  const second = await start({ dataDir: first.dataDir })
  await expect.poll(() => pictures(second).toSorted(), { timeout: 20_000 }).toEqual([used, 'young.png'].toSorted())
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
})

test('a picture says how it was made, and is made again, varied and made larger', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
  const picture = withPngText(blank, 'parameters', text)
  const { json } = (await read(sidecar, picture)) as { json: ReadPicture }
  expect(json).toMatchObject({
    format: 'png',
    width: 128,
    height: 64,
    settings: { from: 'a1111', prompt: 'a red fox', seed: 77 },
  })
  expect((await read(sidecar, blank)).json).toMatchObject({ settings: null })

  const { prompt, negativePrompt, seed, settings } = json.settings!
  expect((await queue(sidecar, null, { name: 'fox.png', prompt, negativePrompt, seed, settings })).status).toBe(201)
  const made = { prompt, settings: { width: 128, height: 64, steps: 2 }, name: 'fox.png' }
  expect((await queue(sidecar, picture, { ...made, source: { as: 'img2img', denoisingStrength: 0.4 }, images: 2 })).status).toBe(
    201,
  )
  expect((await queue(sidecar, picture, { ...made, source: { as: 'upscale', upscaler: 'Lanczos', scale: 2 } })).status).toBe(201)
  const { images } = await waitForEmptyQueue(sidecar)
  const [larger, , varied, again] = images as [Image, Image, Image, Image]
  expect(again).toMatchObject({
    packName: 'fox',
    seed: 77,
    width: 64,
    height: 128,
    recipe: { samplerName: 'DDIM', steps: 3, negativePrompt: 'blurry' },
  })
  expect(varied).toMatchObject({ width: 128, height: 64, recipe: { source: { as: 'img2img' } } })
  expect(larger).toMatchObject({ width: 256, height: 128 })
  // One copy for both.
  expect(pictures(sidecar)).toHaveLength(1)
  expect(readFileSync(join(sidecar.dataDir, 'pictures', pictures(sidecar)[0]!)).equals(picture)).toBe(true)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('what is no picture, is damaged or too large is refused with the reason, and nothing of it is left', async () => {
  const sidecar = await start()
  expect(await read(sidecar, Buffer.from('hello'))).toMatchObject({ status: 422, json: { code: 'picture_unreadable' } })
  expect(await read(sidecar, Buffer.alloc(0))).toMatchObject({ status: 422, json: { code: 'picture_unreadable' } })
  const gif = await sharp(blank).gif().toBuffer()
  expect(await read(sidecar, gif)).toMatchObject({ status: 422, json: { message: 'A gif is no PNG, JPEG or WebP.' } })
  expect(await read(sidecar, Buffer.alloc(maxPictureBytes + 1))).toMatchObject({ status: 413, json: { code: 'too_large' } })
  const upscale = { source: { as: 'upscale', upscaler: 'Lanczos' } }
  const noise = await sharp({
    create: { width: 200, height: 200, channels: 3, background: '#000', noise: { type: 'gaussian', mean: 99, sigma: 50 } },
  })
    .png()
    .toBuffer()
  expect(await queue(sidecar, noise.subarray(0, 20_000), upscale)).toMatchObject({ status: 422 })
  expect(await queue(sidecar, null, upscale)).toMatchObject({ status: 400, json: { message: 'The form has no file "picture".' } })
  expect(await queue(sidecar, blank, '{')).toMatchObject({ status: 400 })
  expect(await queue(sidecar, blank, { source: { as: 'magic' } })).toMatchObject({ status: 400 })
  expect(pictures(sidecar)).toEqual([])
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
