import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { errorAnswer } from '../../../src-sidecar/api/error-answer.ts'
import { idParam, validBody } from '../../../src-sidecar/api/valid-body.ts'
import { type ErrorCode, errorCodes } from '../../../src-sidecar/contract/error-codes.ts'
import { AppError } from '../../../src-sidecar/errors/app-error.ts'
import { served } from './served.ts'

async function failing(thrown: unknown) {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(line) })
  const { ask } = await served(() =>
    new Hono().onError(errorAnswer(logger)).get('/', () => {
      throw thrown
    }),
  )
  return { ...(await ask('/')), lines }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden_origin: 403,
  not_found: 404,
  pack_not_found: 404,
  job_not_found: 404,
  image_not_found: 404,
  conflict: 409,
  job_state: 409,
  too_large: 413,
  pack_broken: 422,
  picture_unreadable: 422,
  backend_unreachable: 502,
  shutting_down: 503,
  database_broken: 503,
  disk: 507,
}

test.each(errorCodes)('an AppError %s is told by its code and message', async (code) => {
  const { status, json, lines } = await failing(
    new AppError(code, 'It is so.', { data: { secret: 1 }, cause: new Error('deep') }),
  )
  expect(status).toBe(statuses[code] ?? 500)
  expect(json).toEqual({ code, message: 'It is so.' })
  expect(lines).toHaveLength(status === 500 || code === 'disk' ? 1 : 0)
})

test('what the storage knows of is told as it says, and not logged once more', async () => {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(line) })
  const full = new AppError('disk', 'There is no room left.')
  const { ask } = await served(() =>
    new Hono().onError(errorAnswer(logger, async () => full)).get('/', () => {
      throw new Error('database or disk is full')
    }),
  )
  expect(await ask('/')).toMatchObject({ status: 507, json: { code: 'disk', message: 'There is no room left.' } })
  expect(lines).toEqual([])
})

test('what does not fit a schema is the request’s fault, and says where', async () => {
  const error = z.object({ steps: z.int() }).safeParse({ steps: 'many' }).error
  expect(await failing(error)).toMatchObject({
    status: 400,
    json: { code: 'bad_request', message: expect.stringMatching(/steps/) },
    lines: [],
  })
})

test('what hono refuses is the request’s fault', async () => {
  expect(await failing(new HTTPException(400, { message: 'malformed' }))).toMatchObject({
    status: 400,
    json: { code: 'bad_request', message: 'malformed' },
  })
  expect(await failing(new HTTPException(413))).toMatchObject({ status: 413, json: { code: 'too_large' } })
})

test('anything else is ours: the answer names it, the log has it whole', async () => {
  const { status, json, lines } = await failing(new TypeError('x is not a function'))
  expect(status).toBe(500)
  expect(json).toEqual({ code: 'internal', message: expect.stringContaining('x is not a function') })
  expect(JSON.stringify(json)).not.toContain('.ts:')
  expect(lines[0]).toContain('error-answer.test.ts')
})

describe('a body', () => {
  const bodied = () =>
    served(() =>
      new Hono()
        .onError(errorAnswer(pino({ level: 'silent' })))
        .use(
          bodyLimit({
            maxSize: 1000,
            onError: () => {
              throw new AppError('too_large', 'The request is larger than that.')
            },
          }),
        )
        .post('/', async (c) => c.json(await validBody(c, z.object({ steps: z.int().default(20) }))))
        .get('/:id', (c) => c.json(idParam(c))),
    )
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } }

  test('is read, and an empty one is {}', async () => {
    const { ask } = await bodied()
    expect((await ask('/', { ...post, body: '{"steps":3}' })).json).toEqual({ steps: 3 })
    expect((await ask('/', { ...post })).json).toEqual({ steps: 20 })
  })

  test.each(['{"steps":', 'null', '[]', '"text"', '{"steps":1.5}', '{"steps":"3"}'])('that is %s is refused', async (body) => {
    const { ask } = await bodied()
    expect(await ask('/', { ...post, body })).toMatchObject({ status: 400, json: { code: 'bad_request' } })
  })

  test('that is too large is refused', async () => {
    const { ask } = await bodied()
    expect(await ask('/', { ...post, body: `{"steps":1,"more":"${'x'.repeat(2000)}"}` })).toMatchObject({
      status: 413,
      json: { code: 'too_large' },
    })
  })

  test.each(['0', '-1', '1.5', 'x', '1e99', '%20', 'NaN'])('an id %s is none', async (id) => {
    const { ask } = await bodied()
    expect(await ask(`/${id}`)).toMatchObject({ status: 400, json: { code: 'bad_request' } })
  })

  test('an id is a whole number', async () => {
    const { ask } = await bodied()
    expect((await ask('/17')).json).toBe(17)
  })
})
