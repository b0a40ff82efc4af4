import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { maxPictureBytes, queuePictureRequestSchema } from '../../contract/picture-settings.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ApiParts } from '../api-parts.ts'

/** Where pictures come in: their bodies are larger than all others. */
export const picturePath = '/api/pictures'

/** Pictures that were dropped on the window. */
export const pictureRoutes = ({ pictures, queue, settings, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .use(
      '/pictures/*',
      bodyLimit({
        maxSize: maxPictureBytes,
        onError: () => {
          throw new AppError('too_large', `The picture is larger than ${maxPictureBytes / 2 ** 20} MB.`)
        },
      }),
    )
    .post('/pictures/read', async (c) => c.json(await pictures.read(Buffer.from(await c.req.arrayBuffer()))))
    .post('/pictures/queue', async (c) => {
      refuseWhenClosing()
      const { picture, request: text } = await c.req.parseBody()
      if (typeof text !== 'string') throw new AppError('bad_request', 'The form has no field "request".')
      const request = queuePictureRequestSchema.parse(asJson(text))
      const add = (path: string | null) => queue.addFromPicture(path, request, settings.current.recipe)
      if (request.source === undefined) return c.json({ jobIds: add(null) }, 201)
      if (!(picture instanceof File)) throw new AppError('bad_request', 'The form has no file "picture".')
      return c.json({ jobIds: await pictures.keep(Buffer.from(await picture.arrayBuffer()), add) }, 201)
    })

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('bad_request', `The field "request" is not JSON: ${(cause as Error).message}`, { cause })
  }
}
