import { type Graph, GraphBuilder, type Link } from './graph.ts'

export interface Lora {
  /** As the server lists it, with folder and extension. */
  readonly file: string
  readonly weight: number
  readonly clipWeight: number
}

/** What every graph with a checkpoint is made of. Names are ComfyUI's own (`sampler-names.ts`). */
export interface SamplingOptions {
  readonly checkpoint: string
  /** In place of the checkpoint's own. */
  readonly vae?: string
  /** Layers of CLIP that are left out at the end, from 1 for none. */
  readonly clipSkip?: number
  readonly prompt: string
  readonly negativePrompt: string
  readonly loras?: readonly Lora[]
  readonly sampler: string
  readonly scheduler: string
  readonly steps: number
  readonly cfgScale: number
  readonly seed: number
}

export interface Txt2imgOptions extends SamplingOptions {
  /** Pixels; ComfyUI rounds down to multiples of 8. */
  readonly width: number
  readonly height: number
  /** Another checkpoint for the last steps of the first pass, from this share of them on. */
  readonly refiner?: { readonly checkpoint: string; readonly switchAt: number }
}

export interface Img2imgOptions extends SamplingOptions {
  /** The name under which the server has it: what `POST /upload/image` answered. */
  readonly image: string
  /** 0 to 1. */
  readonly denoisingStrength: number
  /** Pixels to which the image is scaled first; its own size where absent. */
  readonly size?: { readonly width: number; readonly height: number }
}

/** The second pass of hires fix. */
export interface HiresOptions {
  readonly width: number
  readonly height: number
  /** A model of `models/upscale_models`, or one of the ways in which latents are scaled. */
  readonly upscaler:
    | { readonly model: string }
    | { readonly latent: 'nearest-exact' | 'bilinear' | 'area' | 'bicubic' | 'bislerp' }
    | { readonly pixels: 'lanczos' | 'nearest-exact' }
  readonly steps: number
  readonly denoisingStrength: number
}

export interface UpscaleOptions {
  readonly image: string
  /** Of `models/upscale_models`; it sets the factor. Without one the pixels are scaled in this way. */
  readonly model: string | { readonly pixels: 'lanczos' | 'nearest-exact' }
  /** Pixels to which the result is brought; what the model makes where absent. */
  readonly size?: { readonly width: number; readonly height: number }
}

/**
 * txt2img, with a second pass at a larger size where `hires` is given. All graphs end in PreviewImage: what the server keeps
 * of it lies in its temp folder, which it clears itself.
 */
export function txt2imgGraph(options: Txt2imgOptions, hires?: HiresOptions): Graph {
  const graph = new GraphBuilder()
  const loaded = loadModels(graph, options)
  const { width, height } = options
  const empty = graph.add('EmptyLatentImage', { width, height, batch_size: 1 })()
  const latent = options.refiner
    ? refined(graph, loaded, options, empty, options.refiner)
    : sample(graph, loaded, options, empty, 1)
  if (hires === undefined) return finished(graph, decode(graph, loaded, latent))
  const larger = hiresLatent(graph, loaded, latent, hires)
  const steps = { ...options, steps: hires.steps }
  return finished(graph, decode(graph, loaded, sample(graph, loaded, steps, larger, hires.denoisingStrength)))
}

export function img2imgGraph(options: Img2imgOptions): Graph {
  const graph = new GraphBuilder()
  const loaded = loadModels(graph, options)
  const original = graph.add('LoadImage', { image: options.image })()
  const pixels = options.size ? scaled(graph, original, options.size) : original
  const latent = graph.add('VAEEncode', { pixels, vae: loaded.vae })()
  return finished(graph, decode(graph, loaded, sample(graph, loaded, options, latent, options.denoisingStrength)))
}

export function upscaleGraph({ image, model, size }: UpscaleOptions): Graph {
  const graph = new GraphBuilder()
  const original = graph.add('LoadImage', { image })()
  if (typeof model !== 'string') return finished(graph, size ? scaled(graph, original, size, model.pixels) : original)
  const larger = upscaled(graph, original, model)
  return finished(graph, size ? scaled(graph, larger, size) : larger)
}

interface Loaded {
  readonly model: Link
  readonly vae: Link
  readonly positive: Link
  readonly negative: Link
}

function loadModels(
  graph: GraphBuilder,
  { checkpoint, vae, clipSkip = 1, loras = [], prompt, negativePrompt }: SamplingOptions,
): Loaded {
  const loader = graph.add('CheckpointLoaderSimple', { ckpt_name: checkpoint })
  let [model, clip] = [loader(0), loader(1)]
  for (const { file, weight, clipWeight } of loras) {
    const lora = graph.add('LoraLoader', {
      model,
      clip,
      lora_name: file,
      strength_model: weight,
      strength_clip: clipWeight,
    })
    ;[model, clip] = [lora(0), lora(1)]
  }
  if (clipSkip > 1) clip = graph.add('CLIPSetLastLayer', { clip, stop_at_clip_layer: -clipSkip })()
  const encoded = (text: string) => graph.add('CLIPTextEncode', { text, clip })()
  return {
    model,
    vae: vae ? graph.add('VAELoader', { vae_name: vae })() : loader(2),
    positive: encoded(prompt),
    negative: encoded(negativePrompt),
  }
}

const sample = (graph: GraphBuilder, loaded: Loaded, options: SamplingOptions, latent: Link, denoise: number): Link =>
  graph.add('KSampler', {
    model: loaded.model,
    seed: options.seed,
    steps: options.steps,
    cfg: options.cfgScale,
    sampler_name: options.sampler,
    scheduler: options.scheduler,
    positive: loaded.positive,
    negative: loaded.negative,
    latent_image: latent,
    denoise,
  })()

function refined(
  graph: GraphBuilder,
  loaded: Loaded,
  options: SamplingOptions,
  latent: Link,
  { checkpoint, switchAt }: NonNullable<Txt2imgOptions['refiner']>,
): Link {
  const { vae: _, loras: __, ...plain } = options
  const last = loadModels(graph, { ...plain, checkpoint })
  const at = Math.min(options.steps, Math.max(1, Math.round(options.steps * switchAt)))
  const part = ({ model, positive, negative }: Loaded, latent_image: Link, steps: Record<string, unknown>): Link =>
    graph.add('KSamplerAdvanced', {
      model,
      noise_seed: options.seed,
      steps: options.steps,
      cfg: options.cfgScale,
      sampler_name: options.sampler,
      scheduler: options.scheduler,
      positive,
      negative,
      latent_image,
      ...steps,
    })()
  const begun = { add_noise: 'enable', start_at_step: 0, end_at_step: at, return_with_leftover_noise: 'enable' }
  const rest = { add_noise: 'disable', start_at_step: at, end_at_step: 10_000, return_with_leftover_noise: 'disable' }
  return part(last, part(loaded, latent, begun), rest)
}

const decode = (graph: GraphBuilder, { vae }: Loaded, samples: Link): Link => graph.add('VAEDecode', { samples, vae })()

function hiresLatent(graph: GraphBuilder, loaded: Loaded, latent: Link, { width, height, upscaler }: HiresOptions): Link {
  if ('latent' in upscaler)
    return graph.add('LatentUpscale', { samples: latent, upscale_method: upscaler.latent, width, height, crop: 'disabled' })()
  const pixels = decode(graph, loaded, latent)
  const larger =
    'pixels' in upscaler
      ? scaled(graph, pixels, { width, height }, upscaler.pixels)
      : scaled(graph, upscaled(graph, pixels, upscaler.model), { width, height })
  return graph.add('VAEEncode', { pixels: larger, vae: loaded.vae })()
}

const upscaled = (graph: GraphBuilder, image: Link, model: string): Link =>
  graph.add('ImageUpscaleWithModel', { upscale_model: graph.add('UpscaleModelLoader', { model_name: model })(), image })()

const scaled = (graph: GraphBuilder, image: Link, { width, height }: { width: number; height: number }, way = 'lanczos'): Link =>
  graph.add('ImageScale', { image, upscale_method: way, width, height, crop: 'center' })()

function finished(graph: GraphBuilder, images: Link): Graph {
  graph.add('PreviewImage', { images })
  return graph.graph
}
