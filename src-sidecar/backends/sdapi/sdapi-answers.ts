import { z } from 'zod'

/** Answers of `/sdapi/v1`, only what is used; servers add and lack fields freely. */
export const generateAnswerSchema = z.object({ images: z.array(z.string()).min(1), info: z.string().default('{}') })

export const infoSchema = z.object({
  seed: z.number().optional(),
  all_seeds: z.array(z.number()).optional(),
  infotexts: z.array(z.string()).optional(),
  sd_model_name: z.string().nullish(),
  /** Grids may come before the images. */
  index_of_first_image: z.number().int().min(0).optional(),
})

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
