import { Hono } from 'hono'
import type { ApiParts } from '../api-parts.ts'
import { idParam } from '../valid-body.ts'

export const jobRoutes = ({ queue, preview, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
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
