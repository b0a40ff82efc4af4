import { z } from 'zod'

/** Answers of `/sdapi/v1`, only what is used; servers add and lack fields freely. */
export const generateAnswerSchema = z.object({ images: z.array(z.string()).min(1), info: z.string().default('{}') })

export type GenerateAnswer = z.infer<typeof generateAnswerSchema>

const numberOrNothing = z.number().optional().catch(undefined)
const textOrNothing = z.string().optional().catch(undefined)

export const infoSchema = z.object({
  seed: numberOrNothing,
  all_seeds: z.array(z.number()).optional().catch(undefined),
  infotexts: z.array(z.string()).optional().catch(undefined),
  sd_model_name: textOrNothing,
  sampler_name: textOrNothing,
  steps: numberOrNothing,
  cfg_scale: numberOrNothing,
  /** Grids may come before the images. */
  index_of_first_image: z.number().int().min(0).optional().catch(undefined),
})
export type Info = z.infer<typeof infoSchema>

export const progressAnswerSchema = z.object({
  progress: z.number(),
  eta_relative: z.number().nullish(),
  state: z
    .object({
      job_count: z.number().nullish(),
      sampling_step: z.number().nullish(),
      sampling_steps: z.number().nullish(),
    })
    .nullish(),
  current_image: z.string().nullish(),
})

/** Of `POST /internal/progress` (A1, `modules/progress.py`). A task that is not known is none of the three. */
export const taskProgressAnswerSchema = z.object({
  active: z.boolean(),
  queued: z.boolean(),
  completed: z.boolean(),
  progress: z.number().nullish(),
  /** Seconds. */
  eta: z.number().nullish(),
  live_preview: z.string().nullish(),
  id_live_preview: z.number().nullish(),
})
