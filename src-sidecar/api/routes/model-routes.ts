import { Hono } from 'hono'
import type { ApiParts } from '../api-parts.ts'

/** What the backends list, for the fields of a recipe. */
export const modelRoutes = ({ models }: Pick<ApiParts, 'models'>): Hono => new Hono().get('/models', (c) => c.json(models()))
