import { Hono } from 'hono'
import { findMovedRequestSchema, removeMissingRequestSchema } from '../../contract/missing-files.ts'
import type { ApiParts } from '../api-parts.ts'
import { validBody } from '../valid-body.ts'

/** Images whose file is gone. */
export const missingRoutes = ({ missingFiles, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/missing', async (c) => c.json(await missingFiles.view()))
    .post('/missing/look', (c) => {
      refuseWhenClosing()
      return c.json(missingFiles.look(), 202)
    })
    .post('/missing/find', async (c) => {
      refuseWhenClosing()
      return c.json(await missingFiles.find(await validBody(c, findMovedRequestSchema)), 202)
    })
    .post('/missing/remove', async (c) => {
      refuseWhenClosing()
      return c.json(await missingFiles.remove(await validBody(c, removeMissingRequestSchema)), 202)
    })
    .post('/missing/stop', async (c) => c.json(await missingFiles.cancel()))
