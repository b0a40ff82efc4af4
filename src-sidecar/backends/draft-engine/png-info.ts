import { httpException } from './api-error.ts'
import type { Body, Fields } from './fields.ts'
import { pngTexts } from './png-texts.ts'

export const pngInfoFields: Fields = { image: { type: 'str', default: '' } }

/** POST `/sdapi/v1/png-info`: the text chunks of a picture, `info` being its `parameters`. Throws A1's 404 when there is none. */
export function pngInfo(body: Body): Record<string, unknown> {
  const encoded = String(body.image ?? '').trim()
  if (!encoded) throw httpException(404, 'Image not found')
  const { parameters = '', ...items } = pngTexts(Buffer.from(encoded.replace(/^data:image\/[^;]+;base64,/, ''), 'base64'))
  return { info: parameters, items: { ...(parameters && { parameters }), ...items }, parameters: {} }
}
