import { Hono } from 'hono'
import { queuePackRequestSchema } from '../../contract/pack.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ApiParts } from '../api-parts.ts'
import { validBody } from '../valid-body.ts'

export const packRoutes = ({ packs, queue, settings, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/packs', async (c) => c.json(await packs.list()))
    .get('/pack', async (c) => {
      const id = c.req.query('id')
      if (id === undefined) throw new AppError('bad_request', 'Which pack? Give its id as ?id=.')
      return c.json(await packs.get(id))
    })
    .post('/queue', async (c) => {
      refuseWhenClosing()
      const request = await validBody(c, queuePackRequestSchema)
      const pack = await packs.get(request.packId)
      refuseWhenClosing()
      return c.json({ jobIds: queue.add(pack, request, settings.current.recipe) }, 201)
    })
