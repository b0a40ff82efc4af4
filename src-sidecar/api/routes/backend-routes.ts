import { Hono } from 'hono'
import type { ApiParts } from '../api-parts.ts'

/** What concerns the servers that make images, beside their settings. */
export const backendRoutes = ({ findBackends }: ApiParts): Hono =>
  new Hono().get('/backends/found', async (c) => c.json(await findBackends()))
