import { z } from 'zod'
import { imageSchema } from './image.ts'

/** What images can be filtered by. */
export const facetNames = [
  'model',
  'lora',
  'sampler',
  'size',
  'pack',
  'row',
  'slot',
  'wildcard',
  'sweep',
  'rating',
  'tag',
  'backend',
  'stage',
  'duration',
  'file',
] as const
export type FacetName = (typeof facetNames)[number]

export const imageSorts = ['newest', 'oldest', 'rating', 'largest', 'longest'] as const
export type ImageSort = (typeof imageSorts)[number]

/** The values of `duration`: what an image took. */
export const durationRanges = ['under 2 s', '2–5 s', '5–15 s', '15–60 s', '1–5 min', 'over 5 min'] as const

const daySchema = z.iso.date()

/** The value of `row`: a prompt of a pack, by its number from 1. @param promptIndex from 0 */
export const rowValue = (packName: string, promptIndex: number): string => `${packName} #${promptIndex + 1}`

/** Values of one facet are alternatives; text, facets and days narrow each other. */
export const imageSearchSchema = z.object({
  /** Words that prompt or negative prompt must have, as beginnings of words; `"a phrase"`, `-without`, `neg:word` in the negative prompt only. */
  text: z.string().max(1000).default(''),
  facets: z.partialRecord(z.enum(facetNames), z.array(z.string().max(2000)).max(50)).default({}),
  seed: z.int().min(0).optional(),
  /** First and last day, local time. */
  from: daySchema.optional(),
  to: daySchema.optional(),
})
export type ImageSearch = z.infer<typeof imageSearchSchema>

const fromJson = z
  .string()
  .max(50_000)
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue('is no JSON')
      return z.NEVER
    }
  })

/** `GET /api/images`: `search` is an `ImageSearch` as JSON, `after` the `next` of the page before. */
export const imagesQuerySchema = z.object({
  search: fromJson.pipe(imageSearchSchema).default({ text: '', facets: {} }),
  sort: z.enum(imageSorts).default('newest'),
  after: z
    .string()
    .regex(/^[\d.]+-\d+$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(60),
})
export type ImagesQuery = z.infer<typeof imagesQuerySchema>

export const imagePageSchema = z.object({
  images: z.array(imageSchema),
  /** How many match; where `totalIsLeast` is set there are more than that. */
  total: z.int(),
  totalIsLeast: z.boolean(),
  /** `after` of the next page; null on the last. */
  next: z.string().nullable(),
})
export type ImagePage = z.infer<typeof imagePageSchema>

export const facetSchema = z.object({
  name: z.enum(facetNames),
  /** The most frequent ones and those that are chosen. */
  values: z.array(z.object({ value: z.string(), count: z.int() })),
  /** How many values more there are. */
  more: z.int(),
})
export type Facet = z.infer<typeof facetSchema>

/** `GET /api/images/facets`, with the query of `GET /api/images`. A facet's counts leave out what is chosen of itself. */
export const facetsSchema = z.object({
  facets: z.array(facetSchema),
  /** Set where there are too many matches to count them all: the newest so many were. */
  countedNewest: z.int().nullable(),
})
export type Facets = z.infer<typeof facetsSchema>

export const savedSearchSchema = z.object({
  id: z.int(),
  name: z.string().trim().min(1).max(100),
  search: imageSearchSchema,
  sort: z.enum(imageSorts),
})
export type SavedSearch = z.infer<typeof savedSearchSchema>
export const newSavedSearchSchema = savedSearchSchema.omit({ id: true })
