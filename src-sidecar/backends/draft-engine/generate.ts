import { randomInt } from 'node:crypto'
import { httpException, serverError } from './api-error.ts'
import { findSampling, modelName, painterVersion, type Sampling } from './catalogue.ts'
import type { Engine } from './engine.ts'
import type { GenerationFields } from './generation-fields.ts'
import { infotext } from './infotext.ts'
import type { OptionValues } from './options.ts'
import { createPacer } from './pacer.ts'
import type { Recipe } from './painter/recipe.ts'
import { encodePng } from './png.ts'
import { type Pass, sample } from './sampling.ts'
import { readStartPicture } from './start-picture.ts'

/** As many pixels at once as a batch may have: four pictures of the largest size. */
const maxBatchPixels = 4 * 4096 * 4096

/** A generation request with everything settled that can be before its turn. */
export interface Order {
  readonly kind: 'txt2img' | 'img2img'
  readonly fields: GenerationFields
  readonly sampling: Sampling
  readonly seed: number
  readonly taskId: string
  readonly width: number
  readonly height: number
  readonly passes: readonly Pass[]
}

/** Checks names and sizes in A1's order (modules/api/api.py). Throws its 404 and 422, and 500 where memory wouldn't do. */
export function takeOrder(kind: Order['kind'], fields: GenerationFields): Order {
  if (kind === 'img2img' && !fields.init_images?.length) throw httpException(404, 'Init image not found')
  if (fields.script_name) throw httpException(422, `Script '${fields.script_name}' not found`)
  const sampling = findSampling(fields.sampler_name || fields.sampler_index, fields.scheduler)
  if (!sampling) throw httpException(404, 'Sampler not found')
  const script = Object.keys(fields.alwayson_scripts)[0]
  if (script !== undefined) throw httpException(422, `always on script ${script} not found`)
  // Latents are an eighth of the picture: what is left over is cut off.
  const [width, height] = finalSize(fields).map((side) => side - (side % 8)) as [number, number]
  if (width * height * fields.batch_size > maxBatchPixels || Math.max(width, height) > 4096) {
    throw serverError('OutOfMemoryError', `Out of memory: a batch of ${fields.batch_size} × ${width}×${height} is too large`)
  }
  return {
    kind,
    fields,
    sampling,
    seed: fields.seed === -1 ? randomInt(0, 4294967294) : fields.seed,
    taskId:
      fields.force_task_id ||
      `task(${kind}-${randomInt(36 ** 7)
        .toString(36)
        .padStart(7, '0')})`,
    width,
    height,
    passes: passesOf(kind, fields),
  }
}

/** Runs an order when its turn comes; resolves with A1's answer. An interrupted one resolves too, with what there is. */
export async function generate(engine: Engine, order: Order): Promise<Record<string, unknown>> {
  engine.tasks.add(order.taskId)
  return engine.lock.run(async () => {
    engine.tasks.start(order.taskId)
    engine.state.begin(`scripts_${order.kind}`)
    try {
      return await paintOrder(engine, order)
    } finally {
      engine.state.end()
      engine.tasks.finish(order.taskId)
      // There with --expose-gc only. At the next turn: the answer goes first.
      setImmediate(() => globalThis.gc?.())
    }
  })
}

async function paintOrder(engine: Engine, order: Order): Promise<Record<string, unknown>> {
  const { fields, width, height } = order
  const { state } = engine
  const options = engine.options.override(fields.override_settings, !fields.override_settings_restore_afterwards)
  const start = await readStartPicture(order)
  const seeds: number[] = []
  const images: string[] = []
  const infotexts: string[] = []
  const pacer = createPacer()
  state.jobCount = fields.n_iter * order.passes.length
  for (let iteration = 0; iteration < fields.n_iter; iteration++) {
    state.skipped = false
    if (state.interrupted && images.length > 0) break
    if (fields.n_iter > 1) state.job = `Batch ${iteration + 1} out of ${fields.n_iter}`
    const recipes = Array.from({ length: fields.batch_size }, (_, index): Recipe => {
      // A variation keeps its seed and counts its subseed up, which the infotext shows.
      const seed = order.seed + iteration * fields.batch_size + index
      const { prompt, negative_prompt: negativePrompt, cfg_scale: cfgScale } = fields
      return { prompt, negativePrompt, seed, width, height, ...order.sampling, cfgScale, start }
    })
    const pictures = await sample(engine, recipes, order.passes)
    for (const [index, pixels] of pictures.entries()) {
      const text = infotext(infotextSource(order, recipes[index]!.seed, options))
      seeds.push(recipes[index]!.seed)
      infotexts.push(text)
      const chunks: Record<string, string> = options.enable_pnginfo === false ? {} : { parameters: text }
      images.push((await encodePng(pixels, chunks, pacer)).toString('base64'))
    }
    state.jobNumber = (iteration + 1) * order.passes.length
    state.samplingStep = 0
  }
  const info = describe(order, seeds, infotexts, options, state.jobTimestamp)
  return { images: fields.send_images ? images : [], parameters: parametersOf(fields), info: JSON.stringify(info) }
}

function finalSize(fields: GenerationFields): [number, number] {
  const { width, height, enable_hr: hires, hr_scale: scale = 2, hr_resize_x: x = 0, hr_resize_y: y = 0 } = fields
  if (!hires) return [width, height]
  if (x || y) return [x || Math.round((width * y) / height), y || Math.round((height * x) / width)]
  return [Math.floor(width * scale), Math.floor(height * scale)]
}

function passesOf(kind: Order['kind'], fields: GenerationFields): Pass[] {
  // A1 img2img runs only the last part of the schedule (sd_samplers_common.setup_img2img_steps).
  if (kind === 'img2img')
    return [{ steps: Math.floor(Math.min(fields.denoising_strength, 0.999) * fields.steps) + 1, from: 0, to: 1 }]
  if (!fields.enable_hr) return [{ steps: fields.steps, from: 0, to: 1 }]
  return [
    { steps: fields.steps, from: 0, to: 0.75 },
    { steps: fields.hr_second_pass_steps || fields.steps, from: 0.75, to: 1 },
  ]
}

function infotextSource(order: Order, seed: number, options: OptionValues) {
  const { fields } = order
  const hires = {
    'Hires upscale': fields.hr_scale ?? 2,
    ...(fields.hr_second_pass_steps ? { 'Hires steps': fields.hr_second_pass_steps } : {}),
    'Hires upscaler': fields.hr_upscaler ?? 'Latent',
  }
  return {
    prompt: fields.prompt,
    negativePrompt: fields.negative_prompt,
    sampling: order.sampling,
    steps: fields.steps,
    cfgScale: fields.cfg_scale,
    seed,
    width: fields.width,
    height: fields.height,
    restoreFaces: fields.restore_faces,
    denoisingStrength: order.kind === 'img2img' || fields.enable_hr ? fields.denoising_strength : null,
    subseed: fields.subseed,
    subseedStrength: fields.subseed_strength,
    clipSkip: Number(options.CLIP_stop_at_last_layers) || 1,
    tiling: fields.tiling,
    extra: fields.enable_hr ? hires : {},
  }
}

/** `info`, as A1's Processed.js() (modules/processing.py). */
function describe(order: Order, seeds: number[], infotexts: string[], options: OptionValues, timestamp: string) {
  const { fields } = order
  return {
    prompt: fields.prompt,
    all_prompts: seeds.map(() => fields.prompt),
    negative_prompt: fields.negative_prompt,
    all_negative_prompts: seeds.map(() => fields.negative_prompt),
    seed: seeds[0] ?? order.seed,
    all_seeds: seeds,
    subseed: fields.subseed,
    all_subseeds: seeds.map(() => fields.subseed),
    subseed_strength: fields.subseed_strength,
    width: order.width,
    height: order.height,
    sampler_name: order.sampling.sampler,
    cfg_scale: fields.cfg_scale,
    steps: fields.steps,
    batch_size: fields.batch_size,
    restore_faces: fields.restore_faces,
    face_restoration_model: null,
    sd_model_name: modelName,
    sd_model_hash: null,
    sd_vae_name: null,
    sd_vae_hash: null,
    seed_resize_from_w: -1,
    seed_resize_from_h: -1,
    denoising_strength: fields.denoising_strength,
    extra_generation_params: {},
    index_of_first_image: 0,
    infotexts,
    styles: fields.styles,
    job_timestamp: timestamp,
    clip_skip: Number(options.CLIP_stop_at_last_layers) || 1,
    is_using_inpainting_conditioning: false,
    version: painterVersion,
  }
}

function parametersOf(fields: GenerationFields): Record<string, unknown> {
  if (!('init_images' in fields) || fields.include_init_images) return { ...fields }
  return { ...fields, init_images: null, mask: null }
}
