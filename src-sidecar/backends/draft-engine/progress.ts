import type { Engine } from './engine.ts'
import type { Body, Fields } from './fields.ts'

/** GET `/sdapi/v1/progress`, as `progressapi` in A1's modules/api/api.py: of whatever job runs, at least 0.01 while one does. */
export async function progress({ state }: Engine, skipCurrentImage: boolean): Promise<Record<string, unknown>> {
  const base = { state: state.toJSON(), current_image: null, textinfo: null }
  if (state.jobCount === 0) return { progress: 0, eta_relative: 0, ...base }
  const share = 0.01 + state.progress
  const elapsed = state.elapsedS
  const answer = { progress: Math.min(share, 1), eta_relative: elapsed / share - elapsed, ...base }
  if (skipCurrentImage || !state.preview) return answer
  return { ...answer, current_image: (await state.preview.png()).toString('base64') }
}

export const taskProgressFields: Fields = {
  id_task: { type: 'str', default: null },
  id_live_preview: { type: 'int', default: -1 },
  live_preview: { type: 'bool', default: true },
}

/** POST `/internal/progress`, as A1's modules/progress.py: of one task, with the preview only when it is a new one. */
export async function taskProgress({ state, tasks }: Engine, body: Body): Promise<Record<string, unknown>> {
  const { place, ...standing } = tasks.find(String(body.id_task))
  const base = {
    ...standing,
    progress: null,
    eta: null,
    live_preview: null,
    id_live_preview: -1,
    textinfo: null as string | null,
  }
  if (!standing.active) {
    return { ...base, textinfo: place > 0 ? `In queue: ${place}/${tasks.pending.length}` : 'Waiting...' }
  }
  const share = state.progress
  const elapsed = state.elapsedS
  const answer = {
    ...base,
    progress: share,
    eta: share > 0 ? elapsed / share - elapsed : null,
    id_live_preview: body.id_live_preview,
  }
  const { preview } = state
  if (!body.live_preview || !preview || preview.id === body.id_live_preview) return answer
  return {
    ...answer,
    live_preview: `data:image/png;base64,${(await preview.png()).toString('base64')}`,
    id_live_preview: preview.id,
  }
}
