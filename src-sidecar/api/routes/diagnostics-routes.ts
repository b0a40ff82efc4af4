import { Hono } from 'hono'
import { diagnosticsQuerySchema } from '../../contract/diagnostics.ts'
import type { ApiParts } from '../api-parts.ts'

export const diagnosticsRoutes = ({ diagnostics, heapSnapshot }: ApiParts): Hono =>
  new Hono()
    .get('/diagnostics', (c) => c.json(diagnostics(diagnosticsQuerySchema.parse(c.req.query()).since)))
    .post('/diagnostics/heap-snapshot', async (c) => c.json(await heapSnapshot(), 201))
