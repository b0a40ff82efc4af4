import { Hono } from 'hono'
import { queueQuerySchema } from '../../contract/job.ts'
import {
  cancelRequestSchema,
  duplicateRequestSchema,
  editRequestSchema,
  idsQuerySchema,
  moveRequestSchema,
  pauseRequestSchema,
  priorityRequestSchema,
  undoRequestSchema,
} from '../../contract/queue-request.ts'
import type { ApiParts } from '../api-parts.ts'
import { validBody } from '../valid-body.ts'

/** The queue as a whole, and many jobs of it. */
export const queueRoutes = ({ queue, queueEdits: edits, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/queue', (c) => {
      const { limit, offset } = queueQuerySchema.parse(c.req.query())
      return c.json(queue.view(limit, offset))
    })
    .get('/queue/pending', (c) => {
      const { limit, offset } = queueQuerySchema.parse(c.req.query())
      return c.json(queue.pending(limit, offset))
    })
    .get('/queue/ids', (c) => {
      const { limit, offset } = idsQuerySchema.parse(c.req.query())
      return c.json({ jobIds: queue.pendingIds(limit, offset) })
    })
    .post('/queue/pause', async (c) => {
      const { running } = await validBody(c, pauseRequestSchema)
      return c.json(await queue.pause(running))
    })
    .post('/queue/resume', async (c) => {
      refuseWhenClosing()
      await queue.resume()
      return c.json({ paused: false })
    })
    .post('/queue/cancel', async (c) => c.json(await queue.cancelMany(await validBody(c, cancelRequestSchema))))
    .post('/queue/cancel-pending', async (c) => c.json(await queue.cancelMany({})))
    .post('/queue/undo-cancel', async (c) => {
      refuseWhenClosing()
      return c.json({ changed: await queue.undoCancel((await validBody(c, undoRequestSchema)).undo) })
    })
    .post('/queue/move', async (c) => {
      const { ids, target } = await validBody(c, moveRequestSchema)
      return c.json({ changed: edits.move(ids, target) })
    })
    .post('/queue/priority', async (c) => {
      const { ids, priority } = await validBody(c, priorityRequestSchema)
      return c.json({ changed: edits.setPriority(ids, priority) })
    })
    .post('/queue/edit', async (c) => {
      const { ids, change } = await validBody(c, editRequestSchema)
      return c.json({ changed: edits.edit(ids, change) })
    })
    .post('/queue/duplicate', async (c) => {
      refuseWhenClosing()
      const { ids, newSeeds } = await validBody(c, duplicateRequestSchema)
      return c.json({ jobIds: edits.duplicate(ids, newSeeds) }, 201)
    })
