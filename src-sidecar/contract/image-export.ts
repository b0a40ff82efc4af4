import { z } from 'zod'
import { imagesQuerySchema } from './image-search.ts'

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
