import { z } from 'zod'
import { imageSearchSchema, imageSorts, imagesQuerySchema } from './image-search.ts'

const idsSchema = z
  .string()
  .regex(/^\d+(,\d+)*$/)
  .transform((text) => text.split(',').map(Number))
  .pipe(z.array(z.int()).max(2000))

/** `GET /api/images/export`: the images of these ids, or all that a search finds. */
export const exportQuerySchema = imagesQuerySchema.pick({ search: true, sort: true }).extend({
  format: z.enum(['zip', 'csv', 'json']),
  ids: idsSchema.optional(),
})
export type ExportFormat = z.infer<typeof exportQuerySchema>['format']

/** `POST /api/exports`: the same images, into a new folder within this one, which is made where it is not there. */
export const folderExportRequestSchema = z.object({
  folder: z.string().trim().min(1).max(4096),
  ids: z.array(z.int()).min(1).max(100_000).optional(),
  search: imageSearchSchema.default({ text: '', facets: {} }),
  sort: z.enum(imageSorts).default('newest'),
})
export type FolderExportRequest = z.input<typeof folderExportRequestSchema>

export const folderExportSchema = z.object({
  /** The new folder. Until all is in it, its name ends in `.unfinished`; what is not finished is removed. */
  folder: z.string(),
  state: z.enum(['running', 'done', 'stopped', 'failed']),
  /** Images that were copied, of how many. */
  copied: z.int(),
  of: z.int(),
  /** Their file is gone: the manifests name them. */
  missing: z.int(),
  /** Why it failed. */
  problem: z.string().nullable(),
})
export type FolderExport = z.infer<typeof folderExportSchema>
