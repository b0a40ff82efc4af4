import { Hono } from 'hono'
import { queueQuerySchema } from '../../contract/job.ts'
import type { ApiParts } from '../api-parts.ts'
import { idParam } from '../valid-body.ts'

export const jobRoutes = ({ queue, preview, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/queue', (c) => {
      const { limit, offset } = queueQuerySchema.parse(c.req.query())
      return c.json(queue.view(limit, offset))
    })
    .post('/queue/pause', (c) => {
      queue.setPaused(true)
      return c.json({ paused: true })
    })
    .post('/queue/resume', (c) => {
      refuseWhenClosing()
      queue.setPaused(false)
      return c.json({ paused: false })
    })
    .post('/queue/cancel-pending', (c) => c.json({ cancelled: queue.cancelAllPending() }))
    .post('/jobs/:id/cancel', async (c) => c.json(await queue.cancel(idParam(c))))
    .post('/jobs/:id/retry', (c) => {
      refuseWhenClosing()
      return c.json(queue.retry(idParam(c)))
    })
    .get('/jobs/:id/preview', (c) => {
      const bytes = preview(idParam(c))
      // A page asks a moment too late whenever a job ends: that is no error.
      if (bytes === null) return c.body(null, 204)
      return c.body(Uint8Array.from(bytes), 200, { 'content-type': mediaType(bytes), 'cache-control': 'no-store' })
    })

/** By the first bytes: PNG, JPEG or WebP, as `current_image` may be. */
function mediaType(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'image/jpeg'
  return bytes[0] === 0x52 ? 'image/webp' : 'image/png'
}
