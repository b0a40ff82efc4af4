import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { type Image, ratingRequestSchema, tagsRequestSchema } from '../../contract/image.ts'
import { makeAgainRequestSchema, queueImageRequestSchema } from '../../contract/image-request.ts'
import { imagesQuerySchema } from '../../contract/image-search.ts'
import { AppError } from '../../errors/app-error.ts'
import { presence } from '../../history/missing/file-presence.ts'
import type { ApiParts } from '../api-parts.ts'
import { idParam, validBody } from '../valid-body.ts'

export const imageRoutes = ({ history, thumbnails, queue, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/images', (c) => {
      const { limit, after, search, sort } = imagesQuerySchema.parse(c.req.query())
      return c.json(history.page(limit, after, search, sort))
    })
    .get('/images/:id', (c) => c.json(history.get(idParam(c))))
    .get('/images/:id/stages', (c) => c.json(history.stagesOf(idParam(c))))
    .post('/images/:id/queue', async (c) => {
      refuseWhenClosing()
      const image = history.get(idParam(c))
      return c.json({ jobIds: queue.addFromImage(image, await validBody(c, queueImageRequestSchema)) }, 201)
    })
    .post('/images/:id/again', async (c) => {
      refuseWhenClosing()
      const image = history.get(idParam(c))
      return c.json({ jobIds: queue.addAgain(image, await validBody(c, makeAgainRequestSchema)) }, 201)
    })
    .put('/images/:id/rating', async (c) => {
      const { rating } = await validBody(c, ratingRequestSchema)
      return c.json(history.rate(idParam(c), rating))
    })
    .put('/images/:id/tags', async (c) => {
      const { tags } = await validBody(c, tagsRequestSchema)
      return c.json(history.setTags(idParam(c), tags))
    })
    .get('/images/:id/file', (c) => {
      const image = history.get(idParam(c))
      return noted(history, image, () => sendImage(c, image.path))
    })
    .get('/images/:id/thumbnail', (c) => {
      const image = history.get(idParam(c))
      return noted(history, image, async () => sendFile(c, await thumbnails.pathOf(image), 'image/webp'))
    })

/** Whoever looks at an image finds out whether its file is there. */
async function noted(history: ApiParts['history'], image: Image, send: () => Promise<Response>): Promise<Response> {
  try {
    const answer = await send()
    // A thumbnail that is kept says nothing of the file.
    if (image.missing && (await presence(image.path))) history.noteMissing(image, false)
    return answer
  } catch (error) {
    if ((await presence(image.path)) === false) history.noteMissing(image, true)
    throw error
  }
}

const types: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
}

/** A picture, as what its name says that it is. @throws AppError `image_not_found`. */
export const sendImage = (c: Context, path: string): Promise<Response> =>
  sendFile(c, path, types[extname(path).toLowerCase()] ?? 'image/png')

async function sendFile(c: Context, path: string, type: string): Promise<Response> {
  const stats = await stat(path).catch(() => null)
  if (stats === null) throw new AppError('image_not_found', `The file ${path} is gone.`)
  const headers = {
    'content-type': type,
    'content-length': String(stats.size),
    'cache-control': 'private, max-age=31536000, immutable',
  }
  return c.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, headers)
}
