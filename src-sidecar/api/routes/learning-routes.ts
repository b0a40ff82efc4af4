import { setImmediate } from 'node:timers/promises'
import { Hono } from 'hono'
import {
  answerRequestSchema,
  experimentRequestSchema,
  learningRecordsSchema,
  recommendationsQuerySchema,
} from '../../contract/learning.ts'
import type { ApiParts } from '../api-parts.ts'
import { idParam, validBody } from '../valid-body.ts'
import { sendImage } from './image-routes.ts'

export const learningRoutes = ({ learning, settings, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/experiments', async (c) => c.json({ experiments: await learning.experiments.list(() => setImmediate()) }))
    .post('/experiments', async (c) => {
      refuseWhenClosing()
      const pause = async () => {
        await setImmediate()
        refuseWhenClosing()
      }
      const request = await validBody(c, experimentRequestSchema)
      return c.json(await learning.experiments.create(request, settings.current.recipe, pause), 201)
    })
    .get('/experiments/:id', (c) => c.json(learning.experiments.get(idParam(c))))
    .get('/experiments/:id/review', (c) => c.json(learning.experiments.review(idParam(c))))
    .get('/experiments/:id/pictures/:key', (c) => sendImage(c, learning.experiments.picture(idParam(c), c.req.param('key'))))
    .post('/experiments/:id/answers', async (c) =>
      c.json(learning.experiments.answer(idParam(c), await validBody(c, answerRequestSchema))),
    )
    .post('/experiments/:id/undo', (c) => c.json(learning.experiments.undo(idParam(c))))
    .get('/experiments/:id/result', (c) => c.json({ recommendations: learning.result(idParam(c)) }))
    .post('/experiments/:id/remove', async (c) => {
      await learning.experiments.remove(idParam(c))
      return c.body(null, 204)
    })
    .get('/recommendations', async (c) => {
      const { model, packId } = recommendationsQuerySchema.parse(c.req.query())
      return c.json(await learning.recommendations({ model, packId: packId === '' ? null : packId }))
    })
    .get('/learning/records', async (c) => c.json(await learning.records()))
    .post('/learning/export', async (c) => c.json(await learning.export(Date.now()), 201))
    .post('/learning/import', async (c) => {
      refuseWhenClosing()
      return c.json(await learning.import(await validBody(c, learningRecordsSchema)))
    })
