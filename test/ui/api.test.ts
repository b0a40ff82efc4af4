import { afterEach, expect, test, vi } from 'vitest'
import { errorCodes } from '../../src-sidecar/contract/error-codes.ts'
import { asApiError, errorOfAnswer } from '../../src-ui/api/api-error.ts'
import { Api } from '../../src-ui/api/client.ts'
import { errorText } from '../../src-ui/api/error-text.ts'
import { parseEvent } from '../../src-ui/api/events.ts'

const base = 'http://127.0.0.1:1'

afterEach(() => {
  vi.unstubAllGlobals()
})

const answering = (status: number, body: unknown) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => Response.json(body, { status })),
  )

test('every error code has a title and an advice', () => {
  for (const code of errorCodes) expect(errorText(code)).toEqual({ title: expect.any(String), advice: expect.any(String) })
})

test('an error answer keeps its code and message', () => {
  const error = errorOfAnswer(409, { code: 'job_state', message: 'It runs already.' })
  expect([error.code, error.message]).toEqual(['job_state', 'It runs already.'])
})

test('an answer without a known code is told by its status', () => {
  expect(errorOfAnswer(401, undefined).code).toBe('unauthorized')
  expect(errorOfAnswer(503, 'text').code).toBe('shutting_down')
  expect(errorOfAnswer(500, { code: 'unheard_of' }).code).toBe('internal')
})

test('nobody answering is unreachable', async () => {
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => {
      throw new TypeError('Failed to fetch')
    }),
  )
  await expect(new Api(base, 't').status()).rejects.toMatchObject({ code: 'unreachable' })
})

test('an answer against the contract is a bad answer', async () => {
  answering(200, { packs: 'none' })
  await expect(new Api(base, 't').packs()).rejects.toMatchObject({ code: 'bad_answer' })
})

test('the token goes as a header where it can and into the address where it must', async () => {
  answering(200, { packs: [], userFolder: '/packs' })
  const api = new Api(base, 'secret')
  await api.packs()
  expect(fetch).toHaveBeenCalledWith(
    `${base}/api/packs`,
    expect.objectContaining({ headers: { authorization: 'Bearer secret' } }),
  )
  expect(api.thumbnailUrl(3)).toBe(`${base}/api/images/3/thumbnail?token=secret`)
  expect(new Api(base, '').fileUrl(3)).toBe(`${base}/api/images/3/file`)
})

test('an event that is not understood is passed over', () => {
  expect(parseEvent('{"type":"packs"}')).toEqual({ type: 'packs' })
  expect(parseEvent('{"type":"from the future"}')).toBeUndefined()
  expect(parseEvent('no json')).toBeUndefined()
})

test('anything thrown becomes an error with a code', () => {
  expect(asApiError('text')).toMatchObject({ code: 'internal', message: 'text' })
})
