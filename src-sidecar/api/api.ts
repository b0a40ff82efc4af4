import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import { AppError } from '../errors/app-error.ts'
import type { ApiParts } from './api-parts.ts'
import { authenticate, isAllowedOrigin } from './auth.ts'
import { errorAnswer } from './error-answer.ts'
import { appRoutes } from './routes/app-routes.ts'
import { backendRoutes } from './routes/backend-routes.ts'
import { diagnosticsRoutes } from './routes/diagnostics-routes.ts'
import { historyRoutes } from './routes/history-routes.ts'
import { imageRoutes } from './routes/image-routes.ts'
import { jobRoutes } from './routes/job-routes.ts'
import { learningRoutes } from './routes/learning-routes.ts'
import { missingRoutes } from './routes/missing-routes.ts'
import { modelRoutes } from './routes/model-routes.ts'
import { packRoutes } from './routes/pack-routes.ts'
import { picturePath, pictureRoutes } from './routes/picture-routes.ts'
import { queueRoutes } from './routes/queue-routes.ts'
import { selftestRoutes } from './routes/selftest-routes.ts'

const maxBodyBytes = 2 * 1024 * 1024

/** The whole HTTP face: API below `/api`, the built UI beside it. See `contract/README.md`. */
export function createApi(parts: ApiParts): Hono {
  const { auth, logger, uiFolder } = parts
  const app = new Hono()
  const answer = errorAnswer(logger, (thrown) => parts.storage.errorOf(thrown))
  app.onError(answer)
  app.notFound((c) => answer(new AppError('not_found', `There is nothing at ${c.req.method} ${c.req.path}.`), c))
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'blob:', 'data:'],
        styleSrc: ["'self'", "'unsafe-inline'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
      // The shell's page is of another origin and shows our images.
      crossOriginResourcePolicy: 'cross-origin',
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
  )
  // A preflight can't carry the token: it is answered before that is asked for, to known origins only.
  app.use(
    cors({
      origin: (origin) => (isAllowedOrigin(origin, auth.port(), auth.allowedOrigins) ? origin : null),
      allowHeaders: ['authorization', 'content-type'],
      allowMethods: ['GET', 'POST', 'PUT'],
      maxAge: 600,
    }),
  )
  app.use(authenticate(auth))
  // An end is begun at any time.
  app.use('/api/*', async (c, next) => {
    if (c.req.path !== '/api/shutdown') await parts.whenStarted
    await next()
  })
  const limited = bodyLimit({
    maxSize: maxBodyBytes,
    onError: () => {
      throw new AppError('too_large', `The request is larger than ${maxBodyBytes / 2 ** 20} MB.`)
    },
  })
  app.use((c, next) => (c.req.path.startsWith(`${picturePath}/`) ? next() : limited(c, next)))
  for (const routes of [
    appRoutes,
    packRoutes,
    jobRoutes,
    queueRoutes,
    historyRoutes,
    missingRoutes,
    imageRoutes,
    pictureRoutes,
    modelRoutes,
    learningRoutes,
    backendRoutes,
    diagnosticsRoutes,
    selftestRoutes,
  ])
    app.route('/api', routes(parts))
  app.get('*', serveStatic({ root: uiFolder }))
  return app
}
