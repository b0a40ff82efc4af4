import { serverError } from './api-error.ts'
import { modelName } from './catalogue.ts'

export type OptionValues = Record<string, unknown>

const defaults: Readonly<OptionValues> = {
  sd_model_checkpoint: modelName,
  sd_checkpoint_hash: '',
  sd_vae: 'Automatic',
  CLIP_stop_at_last_layers: 1,
  samples_format: 'png',
  samples_save: true,
  grid_save: true,
  return_grid: true,
  enable_pnginfo: true,
  save_images_add_number: true,
  jpeg_quality: 80,
  img_max_size_mp: 200,
  live_previews_enable: true,
  live_previews_image_format: 'png',
  live_preview_refresh_period: 1000,
  show_progress_every_n_steps: 1,
  show_progress_type: 'Approx NN',
  add_model_name_to_info: true,
  add_version_to_infotext: true,
  eta_noise_seed_delta: 0,
  face_restoration: false,
  face_restoration_model: 'CodeFormer',
  upscaler_for_img2img: null,
  do_not_add_watermark: false,
  interrupt_after_current: false,
}

/** A1's `shared.opts`; not kept over a restart. */
export class Options {
  #values: OptionValues = { ...defaults }

  all(): OptionValues {
    return { ...this.#values }
  }

  /** As POST `/sdapi/v1/options`: merges. Throws A1's 500 for an unknown checkpoint or an unknown option, and changes nothing then. */
  set(values: OptionValues): void {
    const checkpoint = values.sd_model_checkpoint
    if (checkpoint !== undefined && checkpoint !== modelName) {
      throw serverError('RuntimeError', `model ${JSON.stringify(checkpoint)} not found`)
    }
    const unknown = Object.keys(values).find((name) => !(name in defaults))
    if (unknown !== undefined) throw serverError('KeyError', `'${unknown}'`)
    Object.assign(this.#values, values)
  }

  /**
   * `override_settings`: what is not known, an unknown checkpoint too, is dropped without a word, as in A1's processing.py.
   * Returns the options for one call; with `keep` they also stay.
   */
  override(settings: Readonly<OptionValues>, keep: boolean): OptionValues {
    const known = Object.entries(settings).filter(
      ([name, value]) => name in defaults && (name !== 'sd_model_checkpoint' || value === modelName),
    )
    const values = { ...this.#values, ...Object.fromEntries(known) }
    if (keep) this.#values = values
    return { ...values }
  }
}
