import type { Context } from 'hono'
import type { z } from 'zod'
import { AppError } from '../errors/app-error.ts'

/** The request's JSON body, checked. An empty one counts as `{}`. @throws AppError `bad_request`, ZodError. */
export async function validBody<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  const text = await c.req.text()
  let value: unknown
  try {
    value = text === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw new AppError('bad_request', `The body is not JSON: ${(cause as Error).message}`, { cause })
  }
  return schema.parse(value)
}

/** The `:id` of the path. @throws AppError `bad_request`. */
export function idParam(c: Context): number {
  const id = Number(c.req.param('id'))
  if (!Number.isSafeInteger(id) || id < 1)
    throw new AppError('bad_request', `"${c.req.param('id')}" is no id; it is a whole number from 1.`)
  return id
}
