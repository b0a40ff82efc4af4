import { expect, test } from 'vitest'
import { ApiError } from '../../../../src-sidecar/backends/draft-engine/api-error.ts'
import { type Fields, parseBody, readFields } from '../../../../src-sidecar/backends/draft-engine/fields.ts'

const fields: Fields = {
  steps: { type: 'int', default: 50, min: 1, max: 1000 },
  cfg: { type: 'float', default: 7 },
  prompt: { type: 'str', default: '' },
  tiling: { type: 'bool', default: false },
  images: { type: 'list', default: null },
  settings: { type: 'dict', default: {} },
}

function problemsOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, ...error.body }
    throw error
  }
  return null
}

test('defaults fill what is missing, and what is not known is dropped', () => {
  const values = readFields(fields, { unknown: 1 })
  expect(values).toEqual({ steps: 50, cfg: 7, prompt: '', tiling: false, images: null, settings: {} })
})

test.each([
  [{ steps: '20' }, { steps: 20 }],
  [{ steps: 20.7 }, { steps: 20 }],
  [{ steps: true }, { steps: 1 }],
  [{ cfg: '7.5' }, { cfg: 7.5 }],
  [{ prompt: 5 }, { prompt: '5' }],
  [{ tiling: 'yes' }, { tiling: true }],
  [{ tiling: 0 }, { tiling: false }],
  [{ prompt: null }, { prompt: null }],
])('%j is converted as pydantic does', (body, expected) => {
  expect(readFields(fields, body)).toMatchObject(expected)
})

test.each([
  [{ steps: 'many' }, 'steps', 'type_error.integer'],
  [{ steps: '20.5' }, 'steps', 'type_error.integer'],
  [{ steps: [] }, 'steps', 'type_error.integer'],
  [{ steps: 0 }, 'steps', 'value_error.number.not_ge'],
  [{ steps: 1001 }, 'steps', 'value_error.number.not_le'],
  [{ cfg: '' }, 'cfg', 'type_error.float'],
  [{ prompt: {} }, 'prompt', 'type_error.str'],
  [{ tiling: 'maybe' }, 'tiling', 'type_error.bool'],
  [{ images: 'one' }, 'images', 'type_error.list'],
  [{ settings: [] }, 'settings', 'type_error.dict'],
])('%j is refused with its field and type', (body, name, type) => {
  expect(problemsOf(() => readFields(fields, body))).toMatchObject({ status: 422, detail: [{ loc: ['body', name], type }] })
})

test('all wrong fields are named at once', () => {
  const problems = problemsOf(() => readFields(fields, { steps: 'x', cfg: 'y' })) as { detail: unknown[] }
  expect(problems.detail).toHaveLength(2)
})

test.each([
  ['', undefined, 'value_error.missing'],
  ['{"a": ', 'application/json', 'value_error.jsondecode'],
  ['[]', 'application/json', 'type_error.dict'],
  ['null', 'application/json; charset=utf-8', 'type_error.dict'],
  ['{}', 'text/plain', 'type_error.dict'],
])('the body %j of type %s is refused', (text, contentType, type) => {
  expect(problemsOf(() => parseBody(text, contentType))).toMatchObject({ status: 422, detail: [{ type }] })
})

test('a body of JSON is read with and without its content type', () => {
  expect(parseBody('{"a":1}', 'application/json')).toEqual({ a: 1 })
  expect(parseBody('{"a":1}', undefined)).toEqual({ a: 1 })
})
