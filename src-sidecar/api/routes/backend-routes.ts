import { type Context, Hono } from 'hono'
import { backendLogQuerySchema } from '../../contract/backend-log.ts'
import { backendIdSchema } from '../../contract/settings.ts'
import type { ApiParts } from '../api-parts.ts'

const idOf = (c: Context): string => backendIdSchema.parse(c.req.param('id'))

/** What concerns the servers that make images, beside their settings. */
export const backendRoutes = ({ findBackends, backendLog, freeMemory, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/backends/found', async (c) => c.json(await findBackends()))
    .get('/backends/:id/log', async (c) => c.json(await backendLog(idOf(c), backendLogQuerySchema.parse(c.req.query()))))
    .post('/backends/:id/free-memory', async (c) => {
      refuseWhenClosing()
      return c.json({ freed: await freeMemory(idOf(c)) })
    })
