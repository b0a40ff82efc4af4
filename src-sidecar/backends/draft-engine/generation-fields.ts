import { serverError } from './api-error.ts'
import { type Body, type Fields, readFields } from './fields.ts'

/** Longest side of a picture, in pixels: four times as much work as a home machine's model does well. */
export const maxSide = 4096
const minSide = 64

const common: Fields = {
  prompt: { type: 'str', default: '' },
  negative_prompt: { type: 'str', default: '' },
  styles: { type: 'list', default: [] },
  seed: { type: 'int', default: -1 },
  subseed: { type: 'int', default: -1 },
  subseed_strength: { type: 'float', default: 0 },
  sampler_name: { type: 'str', default: null },
  sampler_index: { type: 'str', default: 'Euler' },
  scheduler: { type: 'str', default: null },
  batch_size: { type: 'int', default: 1, min: 1, max: 16 },
  n_iter: { type: 'int', default: 1, min: 1, max: 100 },
  steps: { type: 'int', default: 50, min: 1, max: 1000 },
  cfg_scale: { type: 'float', default: 7 },
  width: { type: 'int', default: 512, min: minSide, max: maxSide },
  height: { type: 'int', default: 512, min: minSide, max: maxSide },
  restore_faces: { type: 'bool', default: false },
  tiling: { type: 'bool', default: false },
  eta: { type: 'float', default: null },
  override_settings: { type: 'dict', default: {} },
  override_settings_restore_afterwards: { type: 'bool', default: true },
  refiner_checkpoint: { type: 'str', default: null },
  refiner_switch_at: { type: 'float', default: null },
  script_name: { type: 'str', default: null },
  script_args: { type: 'list', default: [] },
  alwayson_scripts: { type: 'dict', default: {} },
  send_images: { type: 'bool', default: true },
  save_images: { type: 'bool', default: false },
  force_task_id: { type: 'str', default: null },
  infotext: { type: 'str', default: null },
}

const txt2img: Fields = {
  ...common,
  denoising_strength: { type: 'float', default: 0, min: 0, max: 1 },
  enable_hr: { type: 'bool', default: false },
  hr_scale: { type: 'float', default: 2, min: 1, max: 4 },
  hr_upscaler: { type: 'str', default: null },
  hr_second_pass_steps: { type: 'int', default: 0, min: 0, max: 1000 },
  hr_resize_x: { type: 'int', default: 0, min: 0, max: maxSide },
  hr_resize_y: { type: 'int', default: 0, min: 0, max: maxSide },
  hr_checkpoint_name: { type: 'str', default: null },
  hr_sampler_name: { type: 'str', default: null },
  hr_scheduler: { type: 'str', default: null },
  hr_prompt: { type: 'str', default: '' },
  hr_negative_prompt: { type: 'str', default: '' },
}

const img2img: Fields = {
  ...common,
  init_images: { type: 'list', default: null },
  mask: { type: 'str', default: null },
  mask_blur: { type: 'int', default: 4, min: 0, max: 256 },
  inpainting_fill: { type: 'int', default: 0 },
  inpaint_full_res: { type: 'bool', default: true },
  inpaint_full_res_padding: { type: 'int', default: 0 },
  inpainting_mask_invert: { type: 'int', default: 0 },
  resize_mode: { type: 'int', default: 0, min: 0, max: 3 },
  denoising_strength: { type: 'float', default: 0.75, min: 0, max: 1 },
  image_cfg_scale: { type: 'float', default: null },
  include_init_images: { type: 'bool', default: false },
}

/** A txt2img or img2img body, checked; the names are A1's. */
export interface GenerationFields {
  readonly prompt: string
  readonly negative_prompt: string
  /** null and -1 mean a random seed. */
  readonly seed: number
  readonly subseed: number
  readonly subseed_strength: number
  readonly sampler_name: string | null
  readonly sampler_index: string | null
  readonly scheduler: string | null
  readonly batch_size: number
  readonly n_iter: number
  readonly steps: number
  readonly cfg_scale: number
  readonly width: number
  readonly height: number
  readonly restore_faces: boolean
  readonly tiling: boolean
  readonly denoising_strength: number
  readonly override_settings: Readonly<Record<string, unknown>>
  readonly override_settings_restore_afterwards: boolean
  readonly script_name: string | null
  readonly alwayson_scripts: Readonly<Record<string, unknown>>
  readonly send_images: boolean
  readonly force_task_id: string | null
  readonly styles: readonly unknown[]
  // Only in txt2img:
  readonly enable_hr?: boolean
  readonly hr_scale?: number
  readonly hr_upscaler?: string | null
  readonly hr_second_pass_steps?: number
  readonly hr_resize_x?: number
  readonly hr_resize_y?: number
  // Only in img2img:
  readonly init_images?: readonly unknown[] | null
  readonly mask?: string | null
  readonly mask_blur?: number
  readonly inpainting_mask_invert?: number
  readonly resize_mode?: number
  readonly include_init_images?: boolean
}

/** Reads a generation request. Throws 422 for a wrong type or size, 500 for a null number, as A1 does. */
export function readGenerationFields(kind: 'txt2img' | 'img2img', body: Body): GenerationFields {
  const fields = kind === 'txt2img' ? txt2img : img2img
  const values = readFields(fields, body)
  for (const [name, field] of Object.entries(fields)) {
    if (values[name] !== null || field.default === null) continue
    if (field.type === 'int' && name.includes('seed')) values[name] = -1
    else if (field.type === 'int' || field.type === 'float') {
      throw serverError('TypeError', `${name}: '>' not supported between instances of 'NoneType' and 'int'`)
    } else values[name] = structuredClone(field.default)
  }
  return values as unknown as GenerationFields
}
