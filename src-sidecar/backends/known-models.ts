import type { BackendModels } from '../contract/backend-models.ts'
import { modelKey } from '../contract/model-key.ts'

/** What a server has, as it was told last. */
export interface KnownModels {
  readonly models: BackendModels
  /** As `modelKey` writes them; null where none was told, which may mean that any will do. */
  readonly checkpoints: ReadonlySet<string> | null
}

export const knownModels = (models: BackendModels): KnownModels => ({
  models,
  checkpoints: models.checkpoints.length === 0 ? null : new Set(models.checkpoints.map(modelKey)),
})
