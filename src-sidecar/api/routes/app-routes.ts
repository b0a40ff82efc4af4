import { Hono } from 'hono'
import { openRequestSchema, shutdownRequestSchema, storedSecret } from '../../contract/requests.ts'
import { type Settings, settingsSchema } from '../../contract/settings.ts'
import type { ApiParts } from '../api-parts.ts'
import { validBody } from '../valid-body.ts'

/** Status, events, settings, and what concerns the app as a whole. */
export const appRoutes = (parts: ApiParts): Hono =>
  new Hono()
    .get('/status', async (c) => c.json(await parts.status()))
    .get('/events', (c) => {
      const page = c.req.query('page')
      return parts.events.answer(c, () => {
        if (page !== undefined) parts.pages.opened(page)
      })
    })
    .post('/pages/:page/hide', (c) => {
      parts.pages.hidden(c.req.param('page'))
      return c.body(null, 204)
    })
    .get('/settings', (c) => c.json(withoutSecret(parts.settings.current)))
    .put('/settings', async (c) => {
      const wanted = await validBody(c, settingsSchema)
      await parts.saveSettings(withStoredSecret(wanted, parts.settings.current))
      return c.json(withoutSecret(parts.settings.current))
    })
    .post('/open', async (c) => {
      const { what } = await validBody(c, openRequestSchema)
      parts.open(what)
      return c.body(null, 204)
    })
    .post('/front', async (c) => {
      await parts.front()
      return c.body(null, 204)
    })
    .post('/shutdown', async (c) => {
      const { now, ...reason } = await validBody(c, shutdownRequestSchema)
      parts.shutdown(reason, now)
      return c.json({}, 202)
    })

const withoutSecret = (settings: Settings): Settings => ({
  ...settings,
  backends: settings.backends.map((one) => ('password' in one && one.password !== '' ? { ...one, password: storedSecret } : one)),
})

/** The mark stands for the stored password only as long as it goes to the same server. */
function withStoredSecret(wanted: Settings, stored: Settings): Settings {
  const backends = wanted.backends.map((one) => {
    if (!('password' in one) || one.password !== storedSecret) return one
    const before = stored.backends.find(({ id }) => id === one.id)
    const same = before !== undefined && 'password' in before && before.url === one.url
    return { ...one, password: same ? before.password : '' }
  })
  return { ...wanted, backends }
}
