import { Hono } from 'hono'
import { selftestRequestSchema } from '../../contract/selftest.ts'
import type { ApiParts } from '../api-parts.ts'
import { validBody } from '../valid-body.ts'

export const selftestRoutes = ({ selftest, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/selftest', (c) => c.json(selftest.state))
    .post('/selftest', async (c) => {
      refuseWhenClosing()
      return c.json(await selftest.start(await validBody(c, selftestRequestSchema)), 202)
    })
    .post('/selftest/stop', async (c) => c.json(await selftest.stop()))
