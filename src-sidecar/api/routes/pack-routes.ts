import { randomInt } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { Hono } from 'hono'
import { maxJobsAtOnce, packQuerySchema, previewRequestSchema, queuePackRequestSchema } from '../../contract/pack.ts'
import { discardDraftSchema, draftRequestSchema, newPackRequestSchema, savePackRequestSchema } from '../../contract/pack-edit.ts'
import { AppError } from '../../errors/app-error.ts'
import { describePack } from '../../packs/describe-pack.ts'
import { packBroken } from '../../packs/load-pack.ts'
import { ownSettings } from '../../packs/own-settings.ts'
import { allJobs, packJobs, previewJobs } from '../../packs/pack-jobs.ts'
import type { ApiParts } from '../api-parts.ts'
import { validBody } from '../valid-body.ts'

export const packRoutes = ({ packs, packEditor: editor, models, queue, settings, refuseWhenClosing }: ApiParts): Hono =>
  new Hono()
    .get('/packs', async (c) => c.json(await packs.list()))
    .get('/pack', async (c) => {
      if (c.req.query('id') === undefined) throw new AppError('bad_request', 'Which pack? Give its id as ?id=.')
      const { id, offset, limit } = packQuerySchema.parse(c.req.query())
      return c.json(describePack(await packs.open(id), offset, limit, models().loras))
    })
    .post('/pack/preview', async (c) => {
      const { packId, offset, length, ...choice } = await validBody(c, previewRequestSchema)
      const pack = await packs.open(packId)
      try {
        if (pack.content.problem !== null) throw packBroken(pack.summary)
        const jobs = packJobs(pack, choice)
        return c.json({ count: String(jobs.count), jobs: previewJobs(jobs, offset, length), problem: null })
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        return c.json({ count: null, jobs: [], problem: error.message })
      }
    })
    .get('/pack/edit', async (c) => c.json(await editor.open(packQuerySchema.parse(c.req.query()).id)))
    .post('/pack/draft', async (c) => {
      refuseWhenClosing()
      return c.json(await editor.draft(await validBody(c, draftRequestSchema)))
    })
    .post('/pack/draft/discard', async (c) => {
      await editor.discard((await validBody(c, discardDraftSchema)).packId)
      return c.body(null, 204)
    })
    .put('/pack', async (c) => {
      refuseWhenClosing()
      return c.json(await editor.save(await validBody(c, savePackRequestSchema)))
    })
    .post('/packs', async (c) => {
      refuseWhenClosing()
      return c.json(await editor.create(await validBody(c, newPackRequestSchema)), 201)
    })
    .post('/queue', async (c) => {
      refuseWhenClosing()
      const { packId, images, seed, drawSeed, pinnedTo = null, ...request } = await validBody(c, queuePackRequestSchema)
      const pack = await packs.open(packId)
      if (pack.content.problem !== null) throw packBroken(pack.summary)
      const pause = async () => {
        await setImmediate()
        refuseWhenClosing()
      }
      await pause()
      const asked = { ...request.settings, ...(seed !== undefined && { seed }) }
      const jobs = packJobs(pack, { ...request, images, settings: asked, drawSeed: drawSeed ?? seed ?? randomInt(2 ** 32) })
      if (jobs.count === 0n) throw new AppError('bad_request', `The pack "${pack.summary.name}" has no prompts to queue.`)
      const prompts = await allJobs(jobs, maxJobsAtOnce, pause)
      const batch = {
        packId: pack.summary.id,
        packName: pack.summary.name,
        prompts,
        pinnedTo,
        images: images ?? ownSettings(pack.content.settings).images ?? 1,
      }
      return c.json({ jobIds: await queue.add(batch, settings.current.recipe, pause) }, 201)
    })
