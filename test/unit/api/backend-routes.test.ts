import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { ApiParts } from '../../../src-sidecar/api/api-parts.ts'
import { errorAnswer } from '../../../src-sidecar/api/error-answer.ts'
import { backendRoutes } from '../../../src-sidecar/api/routes/backend-routes.ts'
import type { BackendSwitch } from '../../../src-sidecar/backends/backend-switch.ts'
import { backendLogs, memoryFreer } from '../../../src-sidecar/compose-backends.ts'
import { backendLogSchema } from '../../../src-sidecar/contract/backend-log.ts'
import { AppError } from '../../../src-sidecar/errors/app-error.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { silent } from '../jobs/queue-fixture.ts'
import { ScriptedBackend } from '../jobs/scripted-backend.ts'
import { served } from './served.ts'

const routes = (parts: Partial<ApiParts>) =>
  served(() =>
    new Hono().onError(errorAnswer(silent)).route('/', backendRoutes({ refuseWhenClosing: () => {}, ...parts } as ApiParts)),
  )

test('the log of a backend is answered by its id, and no other file', async () => {
  const folder = tempDir('logs')
  for (const name of ['backend-one', 'stablenew']) writeFileSync(join(folder, `${name}.log`), `${name} speaks\n`)
  const { ask } = await routes({ backendLog: backendLogs(folder) })
  const { json } = await ask('/backends/one/log')
  expect(backendLogSchema.parse(json)).toMatchObject({ lines: ['backend-one speaks'], continued: false })
  const { next } = backendLogSchema.parse(json)
  expect((await ask(`/backends/one/log?lines=5&after=${next}`)).json).toEqual({ lines: [], continued: true, next })
  expect((await ask('/backends/two/log')).json).toMatchObject({ lines: [] })
  for (const path of ['..%2Fstablenew/log', 'ONE/log', 'one/log?lines=0', 'one/log?lines=99999', 'one/log?after=x'])
    expect(await ask(`/backends/${path}`), path).toMatchObject({ status: 400, json: { code: 'bad_request' } })
})

test('memory is freed on demand, not while an image is being made, and only of a backend that is there', async () => {
  const backend = new ScriptedBackend()
  const { ask } = await routes({ freeMemory: memoryFreer({ all: [backend as unknown as BackendSwitch] }) })
  const free = (id: string) => ask(`/backends/${id}/free-memory`, { method: 'POST' })
  const { id } = backend.status
  backend.freeMemory = async () => true
  expect(await free(id)).toMatchObject({ status: 200, json: { freed: true } })
  backend.freeMemory = async () => {
    throw new AppError('conflict', 'The server is at an image.')
  }
  expect(await free(id)).toMatchObject({ status: 409, json: { code: 'conflict' } })
  expect(await free('other')).toMatchObject({
    status: 404,
    json: { code: 'not_found', message: expect.stringContaining('"other"') },
  })
})
