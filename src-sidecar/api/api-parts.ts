import type { BackendLog, BackendLogQuery } from '../contract/backend-log.ts'
import type { BackendModels } from '../contract/backend-models.ts'
import type { Diagnostics, HeapSnapshot } from '../contract/diagnostics.ts'
import type { FoundBackends } from '../contract/found-backend.ts'
import type { OpenRequest } from '../contract/requests.ts'
import type { SelftestRequest, SelftestState } from '../contract/selftest.ts'
import type { Settings } from '../contract/settings.ts'
import type { Status } from '../contract/status.ts'
import type { DroppedPictures } from '../history/dropped-pictures.ts'
import type { FolderExporter } from '../history/folder-exporter.ts'
import type { History } from '../history/history.ts'
import type { ImageImporter } from '../history/import/image-importer.ts'
import type { MissingFiles } from '../history/missing/missing-files.ts'
import type { SavedSearches } from '../history/search/saved-searches.ts'
import type { Thumbnails } from '../history/thumbnails.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { QueueEdits } from '../jobs/queue-edits.ts'
import type { Learning } from '../learning/learning.ts'
import type { StopReason } from '../lifecycle/component.ts'
import type { Logger } from '../logging/logger.ts'
import type { PackEditor } from '../packs/edit/pack-editor.ts'
import type { PackLibrary } from '../packs/pack-library.ts'
import type { Storage } from '../store/storage.ts'
import type { AuthOptions } from './auth.ts'
import type { EventStream } from './event-stream.ts'
import type { PageTracker } from './page-tracker.ts'

/** What the routes work with; `app.ts` puts it together. */
export interface ApiParts {
  readonly auth: AuthOptions
  readonly logger: Logger
  /** Until then the UI alone is served, and questions wait. Rejects where the start fails. */
  readonly whenStarted: Promise<void>
  /** Folder of the built UI. */
  readonly uiFolder: string
  readonly packs: PackLibrary
  readonly packEditor: PackEditor
  readonly queue: JobQueue
  readonly queueEdits: QueueEdits
  readonly storage: Pick<Storage, 'errorOf'>
  readonly history: History
  readonly learning: Learning
  readonly savedSearches: SavedSearches
  readonly importer: ImageImporter
  readonly exporter: FolderExporter
  readonly missingFiles: MissingFiles
  readonly thumbnails: Thumbnails
  readonly pictures: DroppedPictures
  readonly events: EventStream
  readonly pages: PageTracker
  readonly settings: { readonly current: Settings }
  saveSettings(settings: Settings): Promise<void>
  status(): Promise<Status>
  /** What all backends list, each name once. */
  models(): BackendModels
  /** @param sinceMs of the last sample that the caller has */
  diagnostics(sinceMs: number): Diagnostics
  /** Stops the app for as long as it is written. */
  heapSnapshot(): Promise<HeapSnapshot>
  /** Servers that are installed on this machine. */
  findBackends(): Promise<FoundBackends>
  /** What a backend of ours has said last. @param id as in the settings */
  backendLog(id: string, query: BackendLogQuery): Promise<BackendLog>
  /** Has a backend give the memory of its models back; see `Backend.freeMemory`. @throws AppError `not_found` too */
  freeMemory(id: string): Promise<boolean>
  readonly selftest: {
    readonly state: SelftestState
    /** @throws AppError `bad_request` when one runs already */
    start(request: SelftestRequest): Promise<SelftestState>
    /** Resolves when nothing of it is left. */
    stop(): Promise<SelftestState>
  }
  /** The latest preview of a running job, or null. */
  preview(jobId: number): Uint8Array | null
  open(what: OpenRequest['what']): void
  front(): Promise<void>
  shutdown(reason: StopReason, now: boolean): void
  /** @throws AppError `shutting_down`. */
  refuseWhenClosing(): void
}
