import { Hono } from 'hono'
import { exportQuerySchema, folderExportRequestSchema } from '../../contract/image-export.ts'
import { importRequestSchema } from '../../contract/image-import.ts'
import { imagesQuerySchema, newSavedSearchSchema } from '../../contract/image-search.ts'
import { imagesAsCsv, imagesAsJson, imagesAsZip, textStream } from '../../history/export-images.ts'
import type { ApiParts } from '../api-parts.ts'
import { idParam, validBody } from '../valid-body.ts'

const types = { zip: 'application/zip', csv: 'text/csv; charset=utf-8', json: 'application/json' }

/** Searching, taking in and handing out many images. */
export const historyRoutes = ({ history, savedSearches, importer, exporter, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/images/facets', (c) => c.json(history.facets(imagesQuerySchema.parse(c.req.query()).search)))
    .get('/images/export', (c) => {
      const { format, ids, search, sort } = exportQuerySchema.parse(c.req.query())
      const batches = () => (ids === undefined ? history.found(search, sort) : history.batches(ids))
      const body =
        format === 'zip' ? imagesAsZip(batches) : textStream(format === 'csv' ? imagesAsCsv(batches()) : imagesAsJson(batches()))
      const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
      return c.body(body, 200, {
        'content-type': types[format],
        'content-disposition': `attachment; filename="stablenew-${stamp}.${format}"`,
      })
    })
    .get('/exports', (c) => c.json(exporter.state))
    .post('/exports', async (c) => {
      refuseWhenClosing()
      return c.json(await exporter.export(await validBody(c, folderExportRequestSchema), Date.now()), 202)
    })
    .post('/exports/stop', async (c) => c.json(await exporter.cancel()))
    .get('/saved-searches', (c) => c.json(savedSearches.all()))
    .post('/saved-searches', async (c) => c.json(savedSearches.save(await validBody(c, newSavedSearchSchema), Date.now()), 201))
    .post('/saved-searches/:id/remove', (c) => {
      savedSearches.remove(idParam(c))
      return c.body(null, 204)
    })
    .get('/imports', (c) => c.json(importer.state))
    .post('/imports', async (c) => {
      refuseWhenClosing()
      return c.json(await importer.import((await validBody(c, importRequestSchema)).folder), 202)
    })
    .post('/imports/stop', async (c) => c.json(await importer.cancel()))
