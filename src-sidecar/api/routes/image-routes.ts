import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { imagesQuerySchema } from '../../contract/image.ts'
import { queueImageRequestSchema } from '../../contract/image-request.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ApiParts } from '../api-parts.ts'
import { idParam, validBody } from '../valid-body.ts'

export const imageRoutes = ({ history, thumbnails, queue, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/images', (c) => {
      const { limit, before } = imagesQuerySchema.parse(c.req.query())
      return c.json(history.page(limit, before))
    })
    .get('/images/:id', (c) => c.json(history.get(idParam(c))))
    .get('/images/:id/stages', (c) => c.json(history.stagesOf(idParam(c))))
    .post('/images/:id/queue', async (c) => {
      refuseWhenClosing()
      const image = history.get(idParam(c))
      return c.json({ jobIds: queue.addFromImage(image, await validBody(c, queueImageRequestSchema)) }, 201)
    })
    .get('/images/:id/file', async (c) => sendImage(c, history.get(idParam(c)).path))
    .get('/images/:id/thumbnail', async (c) => sendFile(c, await thumbnails.pathOf(history.get(idParam(c))), 'image/webp'))

const types: Readonly<Record<string, string>> = { '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp' }

const sendImage = (c: Context, path: string): Promise<Response> => sendFile(c, path, types[extname(path)] ?? 'image/png')

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
