import type { JobProgress } from '../../src-sidecar/contract/job.ts'
import type { Stage } from '../../src-sidecar/contract/recipe.ts'
import type { StageName } from '../../src-sidecar/contract/stages.ts'
import type { BackendStatus } from '../../src-sidecar/contract/status.ts'

export const stageTitles: Readonly<Record<StageName, string>> = {
  txt2img: 'txt2img',
  img2img: 'img2img',
  adetailer: 'ADetailer',
  upscale: 'Upscale',
}

/** As one is added. */
export function newStage(as: Stage['as'], upscalers: readonly string[]): Stage {
  if (as === 'img2img') return { as, denoisingStrength: 0.3, keepInput: false }
  if (as === 'upscale') return { as, upscaler: pixelUpscaler(upscalers), scale: 2, keepInput: false }
  const pass = { model: 'face_yolov8n.pt', prompt: '', negativePrompt: '', confidence: 0.3, denoisingStrength: 0.4 }
  return { as, passes: [pass], keepInput: false }
}

/** Latents need a model: a picture has none. */
export const pixelUpscalers = (all: readonly string[]): string[] =>
  all.filter((name) => !name.startsWith('Latent') && name !== 'None')

export const pixelUpscaler = (all: readonly string[]): string => {
  const names = pixelUpscalers(all)
  return names.find((name) => /esrgan|ultra/i.test(name)) ?? names[0] ?? 'Lanczos'
}

/** `upscale ×2` */
export const stageSummary = (stage: Stage): string =>
  stage.as === 'upscale'
    ? `upscale ×${stage.scale}`
    : stage.as === 'img2img'
      ? `img2img ${stage.denoisingStrength}`
      : 'ADetailer stage'

/** With the stage at `index` moved by `by` places. */
export function moved(stages: readonly Stage[], index: number, by: number): Stage[] {
  const next = [...stages]
  const [one] = next.splice(index, 1)
  if (one) next.splice(index + by, 0, one)
  return next
}

/** Which stage is being made, where there are several: `img2img, 2 of 3`. */
export const stageProgress = ({ stage, stages }: Pick<JobProgress, 'stage' | 'stages'>): string | null => {
  const name = stages[stage]
  return stages.length > 1 && name ? `${stageTitles[name]}, ${stage + 1} of ${stages.length}` : null
}

/** Whether none of them can do ADetailer. One that was not asked yet may; without any nothing is known. */
export const lacksDetailer = (backends: readonly Pick<BackendStatus, 'kind' | 'capabilities'>[]): boolean =>
  backends.length > 0 &&
  backends.every(
    ({ kind, capabilities }) => kind !== 'sdapi' || capabilities?.some((one) => one.name === 'adetailer' && !one.available),
  )
