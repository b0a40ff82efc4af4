import { type FieldProblem, invalidFields } from './api-error.ts'

/** A field of a request body: its type, its default and, for numbers, its limits. */
export type Field =
  | { type: 'int' | 'float'; default: number | null; min?: number; max?: number }
  | { type: 'str'; default: string | null }
  | { type: 'bool'; default: boolean }
  | { type: 'list'; default: readonly unknown[] | null }
  | { type: 'dict'; default: Readonly<Record<string, unknown>> | null }

export type Fields = Readonly<Record<string, Field>>
export type Body = Record<string, unknown>

/**
 * The text of a request's body as an object.
 * Throws a 422 as FastAPI does: nothing there, no JSON, not an object, or a content type other than JSON.
 */
export function parseBody(text: string, contentType: string | undefined): Body {
  if (text === '') throw invalidFields({ loc: ['body'], msg: 'field required', type: 'value_error.missing' })
  const isJson = contentType === undefined || /^application\/([\w.-]+\+)?json\b/i.test(contentType)
  const value = isJson ? parseJson(text) : text
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidFields({ loc: ['body'], msg: 'value is not a valid dict', type: 'type_error.dict' })
  }
  return value as Body
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const position = Number(/at position (\d+)/.exec(String(error))?.[1] ?? 0)
    const before = text.slice(0, position).split('\n')
    const where = `line ${before.length} column ${before.at(-1)!.length + 1} (char ${position})`
    throw invalidFields({ loc: ['body', position], msg: `Expecting value: ${where}`, type: 'value_error.jsondecode' })
  }
}

/**
 * `body` with defaults filled in and values converted as pydantic 1 converts them ("20" is 20, 20.7 is 20); what `fields` doesn't
 * name is dropped. A null is let through, as A1's generated models do. Throws one 422 naming every wrong field.
 */
export function readFields(fields: Fields, body: Body): Body {
  const problems: FieldProblem[] = []
  const result: Body = {}
  for (const [name, field] of Object.entries(fields)) {
    const given = body[name]
    if (given === undefined || given === null) {
      result[name] = given === undefined ? structuredClone(field.default) : null
      continue
    }
    const value = convert(field.type, given)
    const problem = value === undefined ? wrongType[field.type] : outOfRange(field, value)
    if (problem) problems.push({ loc: ['body', name], ...problem })
    else result[name] = value
  }
  if (problems.length > 0) throw invalidFields(...problems)
  return result
}

const wrongType = {
  int: { msg: 'value is not a valid integer', type: 'type_error.integer' },
  float: { msg: 'value is not a valid float', type: 'type_error.float' },
  str: { msg: 'str type expected', type: 'type_error.str' },
  bool: { msg: 'value could not be parsed to a boolean', type: 'type_error.bool' },
  list: { msg: 'value is not a valid list', type: 'type_error.list' },
  dict: { msg: 'value is not a valid dict', type: 'type_error.dict' },
} as const

const booleans = new Map<unknown, boolean>([
  ...[true, 1, '1', 'on', 't', 'true', 'y', 'yes'].map((text) => [text, true] as const),
  ...[false, 0, '0', 'off', 'f', 'false', 'n', 'no'].map((text) => [text, false] as const),
])

function convert(type: Field['type'], value: unknown): unknown {
  switch (type) {
    case 'int': {
      if (typeof value === 'string') return /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : undefined
      if (typeof value === 'boolean') return Number(value)
      return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : undefined
    }
    case 'float': {
      const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
      return typeof value !== 'object' && Number.isFinite(number) ? number : undefined
    }
    case 'str':
      if (typeof value === 'boolean') return value ? 'True' : 'False'
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
    case 'bool':
      return booleans.get(typeof value === 'string' ? value.toLowerCase() : value)
    case 'list':
      return Array.isArray(value) ? value : undefined
    case 'dict':
      return typeof value === 'object' && !Array.isArray(value) ? value : undefined
  }
}

function outOfRange(field: Field, value: unknown): Omit<FieldProblem, 'loc'> | null {
  if ((field.type !== 'int' && field.type !== 'float') || typeof value !== 'number') return null
  const { min = -Infinity, max = Infinity } = field
  if (value < min) {
    const msg = `ensure this value is greater than or equal to ${min}`
    return { msg, type: 'value_error.number.not_ge', ctx: { limit_value: min } }
  }
  if (value > max) {
    return {
      msg: `ensure this value is less than or equal to ${max}`,
      type: 'value_error.number.not_le',
      ctx: { limit_value: max },
    }
  }
  return null
}
