import { serverError } from './api-error.ts'
import { upscalers } from './catalogue.ts'
import type { Engine } from './engine.ts'
import type { Body, Fields } from './fields.ts'
import { maxSide } from './generation-fields.ts'
import { joinParameters } from './infotext.ts'
import { createPacer } from './pacer.ts'
import { encodePng } from './png.ts'
import { pngTexts } from './png-texts.ts'
import { readImage } from './start-picture.ts'

/** Fields of POST `/sdapi/v1/extra-single-image`; the restorers and the second upscaler are taken and do nothing. */
export const upscaleFields: Fields = {
  image: { type: 'str', default: '' },
  resize_mode: { type: 'int', default: 0, min: 0, max: 1 },
  show_extras_results: { type: 'bool', default: true },
  gfpgan_visibility: { type: 'float', default: 0, min: 0, max: 1 },
  codeformer_visibility: { type: 'float', default: 0, min: 0, max: 1 },
  codeformer_weight: { type: 'float', default: 0, min: 0, max: 1 },
  upscaling_resize: { type: 'float', default: 2, min: 1, max: 8 },
  upscaling_resize_w: { type: 'int', default: 512, min: 1, max: maxSide },
  upscaling_resize_h: { type: 'int', default: 512, min: 1, max: maxSide },
  upscaling_crop: { type: 'bool', default: true },
  upscaler_1: { type: 'str', default: 'None' },
  upscaler_2: { type: 'str', default: 'None' },
  extras_upscaler_2_visibility: { type: 'float', default: 0, min: 0, max: 1 },
  upscale_first: { type: 'bool', default: false },
}

/**
 * Enlarges a picture when its turn comes. Resolves with `{image, html_info}`; the image keeps its `parameters` and says in a
 * `postprocessing` chunk what was done. The upscaler "None" returns the picture as it is. Rejects as A1: 500 for a picture that
 * can't be read, for an unknown upscaler, for a result that is too large.
 */
export function upscale(engine: Engine, body: Body): Promise<Record<string, unknown>> {
  return engine.lock.run(async () => {
    engine.state.begin('extras')
    try {
      return await enlarge(body)
    } finally {
      engine.state.end()
    }
  })
}

async function enlarge(body: Body): Promise<Record<string, unknown>> {
  const name = String(body.upscaler_1 ?? 'None')
  if (!upscalers.some((upscaler) => upscaler.name === name)) {
    throw serverError('AssertionError', `could not find upscaler named ${name}`)
  }
  const { image, bytes, width, height } = await readImage(body.image)
  const exact = body.resize_mode === 1
  const scale = Number(body.upscaling_resize)
  const target =
    name === 'None'
      ? { width, height }
      : exact
        ? { width: Number(body.upscaling_resize_w), height: Number(body.upscaling_resize_h) }
        : { width: Math.floor(width * scale), height: Math.floor(height * scale) }
  if (Math.max(target.width, target.height) > 2 * maxSide) {
    throw serverError('OutOfMemoryError', `Out of memory: ${target.width}×${target.height} is too large`)
  }
  const fit = exact ? (body.upscaling_crop ? 'cover' : 'inside') : 'fill'
  const { data, info } = await image
    .removeAlpha()
    .toColourspace('srgb')
    .resize(target.width, target.height, { fit, kernel: name === 'Nearest' ? 'nearest' : 'lanczos3' })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(() => {
      throw serverError('UnidentifiedImageError', 'cannot read the image')
    })
  const done = joinParameters(
    name === 'None'
      ? {}
      : {
          [exact ? 'Postprocess upscale to' : 'Postprocess upscale by']: exact ? `${info.width}x${info.height}` : scale,
          'Postprocess upscaler': name,
        },
  )
  const { parameters } = pngTexts(bytes)
  const texts = { ...(parameters && { parameters }), ...(done && { postprocessing: done }) }
  const png = await encodePng({ width: info.width, height: info.height, data }, texts, createPacer())
  return { html_info: done && `<p>${done}</p>`, image: png.toString('base64') }
}
