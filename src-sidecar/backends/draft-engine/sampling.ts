import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import type { GenerationState } from './generation-state.ts'
import { createPacer } from './pacer.ts'
import { Picture } from './painter/picture.ts'
import type { Recipe } from './painter/recipe.ts'
import { encodePng, type Pixels } from './png.ts'

/** Steps that follow one another on the same pictures: one pass, or two with hires fix. Shares are of the whole way, 0 to 1. */
export interface Pass {
  readonly steps: number
  readonly from: number
  readonly to: number
}

/**
 * Runs the passes over a batch, one delay a step for the whole batch. Interrupt and skip take effect at the end of a step, as in
 * A1; the pictures are then returned as they are.
 */
export async function sample(engine: Engine, recipes: readonly Recipe[], passes: readonly Pass[]): Promise<Pixels[]> {
  const { state } = engine
  const pictures = recipes.map((recipe) => new Picture(recipe))
  const pacer = createPacer()
  for (const { steps, from, to } of passes) {
    state.samplingStep = 0
    state.samplingSteps = steps
    for (let step = 1; step <= steps; step++) {
      const begunAt = performance.now()
      const share = from + ((to - from) * step) / steps
      for (const picture of pictures) await picture.advance(share, pacer)
      const restMs = engine.stepMs - (performance.now() - begunAt)
      if (restMs > 0) await delay(restMs)
      else await pacer.pause()
      state.samplingStep = step
      await engine.onStep(share)
      showPreview(state, pictures[0]!, share)
      if (state.interrupted || state.skipped) return Promise.all(pictures.map((picture) => picture.partial(share, pacer)))
    }
    if (to < 1) state.nextJob()
  }
  return Promise.all(pictures.map((picture) => picture.finish(pacer)))
}

let lastPreviewId = 0

function showPreview(state: GenerationState, picture: Picture, share: number): void {
  let png: Promise<Buffer> | null = null
  const make = async () => {
    const pacer = createPacer()
    return encodePng(await picture.preview(share, pacer), {}, pacer, 1)
  }
  state.preview = {
    id: ++lastPreviewId,
    png() {
      png ??= make()
      return png
    },
  }
}
