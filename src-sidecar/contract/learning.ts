import { z } from 'zod'
import { ratingSchema } from './image.ts'
import { chosenSchema, recipeDefaultsSchema, recipeSchema } from './recipe.ts'
import { backendIdSchema } from './settings.ts'

/** One image at a time with 1 to 5 stars, or two side by side. */
export const reviewKinds = ['stars', 'pairs'] as const
export type ReviewKind = (typeof reviewKinds)[number]

export const valueSchema = z.union([z.number(), z.string().max(1000)])
/** See `variables.ts`. */
const variableIdSchema = z.string().min(1).max(1000)
const nameSchema = z.string().trim().max(200)

/** What one experiment may make. */
export const maxExperimentImages = 5000

/** Where the prompts of an experiment come from: rows of a pack (all where none are named), or a text of one's own. */
export const promptSourceSchema = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('pack'),
    packId: z.string().min(1).max(1000),
    prompts: z.array(z.int().min(0)).min(1).max(1000).optional(),
  }),
  z.object({
    from: z.literal('text'),
    prompt: z.string().trim().min(1).max(100_000),
    negativePrompt: z.string().max(100_000).default(''),
  }),
])

export const experimentRequestSchema = z.object({
  /** Empty: what it varies, and of what. */
  name: nameSchema.default(''),
  variable: variableIdSchema,
  values: z.array(valueSchema).min(2, 'compare two values at least').max(50),
  source: promptSourceSchema,
  /** Of each prompt and value; their seeds are the same for every value. */
  images: z.int().min(1).max(100).default(2),
  review: z.enum(reviewKinds).default('stars'),
  settings: recipeDefaultsSchema.partial().default({}),
  pinnedTo: backendIdSchema.optional(),
  /** Of seeds, draws and the order of the review; absent: random. */
  seed: recipeSchema.shape.seed.optional(),
})
export type ExperimentRequest = z.input<typeof experimentRequestSchema>

/** What an experiment is, fixed when it is made. */
export const designSchema = z.object({
  variable: variableIdSchema,
  values: experimentRequestSchema.shape.values,
  /** As they were expanded. */
  prompts: z
    .array(
      z.object({
        promptIndex: z.int(),
        prompt: z.string(),
        negativePrompt: z.string(),
        chosen: chosenSchema,
        /** Of the first image of every value. */
        seed: recipeSchema.shape.seed,
      }),
    )
    .min(1),
  images: z.int().min(1),
  review: z.enum(reviewKinds),
  /** Null: a text of the user's own. */
  packId: z.string().nullable(),
  packName: z.string(),
  seed: recipeSchema.shape.seed,
})
export type Design = z.infer<typeof designSchema>

/** Counts of what is to be judged: images, or pairs of them. */
export const reviewProgressSchema = z.object({
  total: z.int(),
  answered: z.int(),
  /** Made and not answered yet. */
  ready: z.int(),
})

export const experimentSchema = z.object({
  id: z.int(),
  name: z.string(),
  createdAtMs: z.int(),
  variable: variableIdSchema,
  values: z.array(valueSchema),
  review: z.enum(reviewKinds),
  packId: z.string().nullable(),
  packName: z.string(),
  promptCount: z.int(),
  images: z.int(),
  imagesWanted: z.int(),
  imagesDone: z.int(),
  /** Jobs that are queued or running: more images will come. */
  jobsOpen: z.int(),
  progress: reviewProgressSchema,
})
export type Experiment = z.infer<typeof experimentSchema>
export const experimentsSchema = z.object({ experiments: z.array(experimentSchema) })

/** One thing to judge. It says nothing of what the image was made with, nor does the address of its picture. */
export const reviewItemSchema = z.object({
  place: z.int(),
  /** For `/api/experiments/:id/pictures/:key`; one, or left and right. */
  pictures: z.array(z.string()).min(1).max(2),
  /** What all values have in common. */
  prompt: z.string(),
})
export type ReviewItem = z.infer<typeof reviewItemSchema>

export const reviewSchema = z.object({
  review: z.enum(reviewKinds),
  progress: reviewProgressSchema,
  jobsOpen: z.int(),
  /** The next few; the first is to be judged now. */
  items: z.array(reviewItemSchema),
})
export type Review = z.infer<typeof reviewSchema>

export const pairAnswers = ['left', 'right', 'equal'] as const
/** `POST /api/experiments/:id/answers` */
export const answerRequestSchema = z.object({ place: z.int().min(0), answer: z.union([ratingSchema, z.enum(pairAnswers)]) })
export type AnswerRequest = z.infer<typeof answerRequestSchema>

/**
 * - `best`: one value did best, and another one did worse;
 * - `no-difference`: it does not matter which;
 * - `not-enough`: there is not enough data to say either.
 */
export const verdicts = ['best', 'no-difference', 'not-enough'] as const
export type Verdict = (typeof verdicts)[number]

/** How sure a verdict is; intervals hold the truth with the same chance. */
export const sureAt = 0.9
/** Fewer blocks, or a value that was judged less often, say nothing. */
export const [fewestBlocks, fewestOfValue] = [5, 3]

export const valueResultSchema = z.object({
  value: valueSchema,
  /** Stars, or the share of pairs that it wins against an average value, 0 to 1. */
  mean: z.number(),
  /** Between these with a chance of 90%. */
  low: z.number(),
  high: z.number(),
  /** How often it was judged. */
  seen: z.int(),
  /** That no other value is better by more than matters. */
  chance: z.number(),
})
export type ValueResult = z.infer<typeof valueResultSchema>

export const recommendationSchema = z.object({
  variable: variableIdSchema,
  review: z.enum(reviewKinds),
  verdict: z.enum(verdicts),
  /** The one that did best so far, whatever the verdict; null where none was judged often enough. */
  best: valueSchema.nullable(),
  values: z.array(valueResultSchema),
  /** Comparisons of like with like: of images that differ in nothing else. */
  blocks: z.int(),
  prompts: z.int(),
  /** Judgements that it comes from. */
  fromExperiments: z.int(),
  fromGallery: z.int(),
})
export type Recommendation = z.infer<typeof recommendationSchema>

/** Of one experiment. */
export const resultSchema = z.object({ recommendations: z.array(recommendationSchema) })

export const learningScopeSchema = z.object({
  /** As the backend named it; empty: what compares checkpoints with each other. */
  model: z.string(),
  judgements: z.int(),
  packs: z.array(z.object({ packId: z.string().nullable(), packName: z.string(), judgements: z.int() })),
})
export type LearningScope = z.infer<typeof learningScopeSchema>

/** Without `model`: the one with the most judgements. Without `packId`: all packs; empty: texts of one's own. */
export const recommendationsQuerySchema = z.object({ model: z.string().optional(), packId: z.string().optional() })

export const recommendationsSchema = z.object({
  scopes: z.array(learningScopeSchema),
  model: z.string().nullable(),
  recommendations: z.array(recommendationSchema),
})
export type Recommendations = z.infer<typeof recommendationsSchema>

const answerRecordSchema = z.object({
  /** Indexes in the design. */
  prompt: z.int().min(0),
  image: z.int().min(0),
  a: z.int().min(0),
  /** Null: `a` was rated by itself. */
  b: z.int().min(0).nullable(),
  /** Stars; or 1 where `a` was better, 0 where `b` was, 0.5 where neither. */
  outcome: z.number().min(0).max(5),
  modelA: z.string(),
  modelB: z.string(),
  answeredAtMs: z.int(),
})
export type AnswerRecord = z.infer<typeof answerRecordSchema>

export const experimentRecordSchema = z.object({
  /** The same in every copy. */
  uid: z.uuid(),
  name: z.string(),
  createdAtMs: z.int(),
  design: designSchema,
  answers: z.array(answerRecordSchema),
})
export type ExperimentRecord = z.infer<typeof experimentRecordSchema>

/** A rating that was given to an image of the history. */
export const ratingRecordSchema = z.object({
  packId: z.string(),
  packName: z.string(),
  model: z.string(),
  seed: z.int(),
  recipe: recipeSchema,
  rating: ratingSchema,
  ratedAtMs: z.int(),
})
export type RatingRecord = z.infer<typeof ratingRecordSchema>

/** A file of records, or a part of one; what is known already is passed over. */
export const learningRecordsSchema = z.object({
  format: z.literal('stablenew-learning'),
  version: z.literal(1),
  experiments: z.array(experimentRecordSchema).default([]),
  ratings: z.array(ratingRecordSchema).default([]),
})
export type LearningRecords = z.infer<typeof learningRecordsSchema>

/** The file that holds them all now. */
export const exportedRecordsSchema = z.object({ path: z.string(), experiments: z.int(), ratings: z.int() })
export type ExportedRecords = z.infer<typeof exportedRecordsSchema>

/** How many were new. */
export const importedRecordsSchema = z.object({ experiments: z.int(), answers: z.int(), ratings: z.int() })
export type ImportedRecords = z.infer<typeof importedRecordsSchema>
