import { z } from 'zod'
import { type BackendLog, backendLogSchema } from '../../src-sidecar/contract/backend-log.ts'
import { type BackendModels, backendModelsSchema } from '../../src-sidecar/contract/backend-models.ts'
import { type Diagnostics, diagnosticsSchema, heapSnapshotSchema } from '../../src-sidecar/contract/diagnostics.ts'
import { type FoundBackends, foundBackendsSchema } from '../../src-sidecar/contract/found-backend.ts'
import { imageSchema } from '../../src-sidecar/contract/image.ts'
import { type ExportFormat, type FolderExportRequest, folderExportSchema } from '../../src-sidecar/contract/image-export.ts'
import { importStateSchema } from '../../src-sidecar/contract/image-import.ts'
import type { MakeAgainRequest, QueueImageRequest } from '../../src-sidecar/contract/image-request.ts'
import {
  type Facets,
  facetsSchema,
  type ImagePage,
  type ImageSearch,
  imagePageSchema,
  type SavedSearch,
  savedSearchSchema,
} from '../../src-sidecar/contract/image-search.ts'
import {
  jobSchema,
  type PendingPage,
  type Priority,
  pendingPageSchema,
  type Queue,
  queueSchema,
} from '../../src-sidecar/contract/job.ts'
import {
  type AnswerRequest,
  type ExperimentRequest,
  experimentSchema,
  experimentsSchema,
  exportedRecordsSchema,
  importedRecordsSchema,
  type LearningRecords,
  recommendationsSchema,
  resultSchema,
  reviewSchema,
} from '../../src-sidecar/contract/learning.ts'
import {
  type FindMovedRequest,
  type MissingFiles,
  missingFilesSchema,
  missingWorkSchema,
  type RemoveMissingRequest,
} from '../../src-sidecar/contract/missing-files.ts'
import {
  type PackPreview,
  type PreviewRequest,
  packPreviewSchema,
  packSchema,
  packsSchema,
  type QueuePackRequest,
  queuedSchema,
} from '../../src-sidecar/contract/pack.ts'
import {
  type DraftRequest,
  draftAnswerSchema,
  editablePackSchema,
  type NewPackRequest,
  type SavePackRequest,
  savedPackSchema,
} from '../../src-sidecar/contract/pack-edit.ts'
import { type QueuePictureRequest, type ReadPicture, readPictureSchema } from '../../src-sidecar/contract/picture-settings.ts'
import {
  type CancelRequest,
  cancelledSchema,
  changedSchema,
  type JobChange,
  jobIdsSchema,
  type MoveTarget,
  type PauseRequest,
  pausedSchema,
} from '../../src-sidecar/contract/queue-request.ts'
import { freedMemorySchema, type ShutdownRequest } from '../../src-sidecar/contract/requests.ts'
import { type SelftestState, type selftestRequestSchema, selftestStateSchema } from '../../src-sidecar/contract/selftest.ts'
import { type Settings, settingsSchema } from '../../src-sidecar/contract/settings.ts'
import { statusSchema } from '../../src-sidecar/contract/status.ts'
import { ApiError, errorOfAnswer } from './api-error.ts'

export type SortedSearch = Pick<SavedSearch, 'search' | 'sort'>

type Query = Record<string, string | number | undefined>

export class Api {
  readonly #baseUrl: string
  readonly #token: string

  constructor(baseUrl: string, token: string) {
    this.#baseUrl = baseUrl
    this.#token = token
  }

  status = () => this.#get('/api/status', statusSchema)
  packs = () => this.#get('/api/packs', packsSchema)
  pack = (id: string, offset = 0) => this.#get('/api/pack', packSchema, { id, offset })
  packPreview = (request: PreviewRequest): Promise<PackPreview> =>
    this.#send('POST', '/api/pack/preview', request, packPreviewSchema)
  editPack = (id: string) => this.#get('/api/pack/edit', editablePackSchema, { id })
  draftPack = (request: DraftRequest) => this.#send('POST', '/api/pack/draft', request, draftAnswerSchema)
  discardDraft = (packId: string) => this.#send('POST', '/api/pack/draft/discard', { packId })
  savePack = (request: SavePackRequest) => this.#send('PUT', '/api/pack', request, savedPackSchema)
  newPack = (request: NewPackRequest) => this.#send('POST', '/api/packs', request, savedPackSchema)
  queuePack = (request: QueuePackRequest) => this.#send('POST', '/api/queue', request, queuedSchema)
  queue = (limit: number, offset = 0): Promise<Queue> => this.#get('/api/queue', queueSchema, { limit, offset })
  pending = (limit: number, offset: number): Promise<PendingPage> =>
    this.#get('/api/queue/pending', pendingPageSchema, { limit, offset })
  pendingIds = (limit: number, offset: number) => this.#get('/api/queue/ids', jobIdsSchema, { limit, offset })
  pauseQueue = (request: PauseRequest) => this.#send('POST', '/api/queue/pause', request, pausedSchema)
  resumeQueue = () => this.#send('POST', '/api/queue/resume', undefined, pausedSchema)
  moveJobs = (ids: readonly number[], target: MoveTarget) => this.#send('POST', '/api/queue/move', { ids, target }, changedSchema)
  setPriority = (ids: readonly number[], priority: Priority) =>
    this.#send('POST', '/api/queue/priority', { ids, priority }, changedSchema)
  editJobs = (ids: readonly number[], change: JobChange) => this.#send('POST', '/api/queue/edit', { ids, change }, changedSchema)
  duplicateJobs = (ids: readonly number[], newSeeds: boolean) =>
    this.#send('POST', '/api/queue/duplicate', { ids, newSeeds }, jobIdsSchema)
  cancelJobs = (request: CancelRequest) => this.#send('POST', '/api/queue/cancel', request, cancelledSchema)
  undoCancel = (undo: number) => this.#send('POST', '/api/queue/undo-cancel', { undo }, changedSchema)
  cancelJob = (id: number) => this.#send('POST', `/api/jobs/${id}/cancel`, undefined, jobSchema)
  retryJob = (id: number) => this.#send('POST', `/api/jobs/${id}/retry`, undefined, jobSchema)
  images = (limit: number, { search, sort }: SortedSearch, after?: string): Promise<ImagePage> =>
    this.#get('/api/images', imagePageSchema, { limit, search: JSON.stringify(search), sort, after })
  facets = (search: ImageSearch): Promise<Facets> =>
    this.#get('/api/images/facets', facetsSchema, { search: JSON.stringify(search) })
  savedSearches = (): Promise<SavedSearch[]> => this.#get('/api/saved-searches', z.array(savedSearchSchema))
  saveSearch = (name: string, what: SortedSearch): Promise<SavedSearch> =>
    this.#send('POST', '/api/saved-searches', { name, ...what }, savedSearchSchema)
  removeSearch = (id: number) => this.#send('POST', `/api/saved-searches/${id}/remove`, undefined)
  image = (id: number) => this.#get(`/api/images/${id}`, imageSchema)
  imageStages = (id: number) => this.#get(`/api/images/${id}/stages`, z.array(imageSchema))
  readPicture = (picture: Blob): Promise<ReadPicture> => this.#upload('/api/pictures/read', picture, readPictureSchema)
  queuePicture(picture: Blob, request: QueuePictureRequest) {
    const form = new FormData()
    if (request.source) form.append('picture', picture)
    form.append('request', JSON.stringify(request))
    return this.#upload('/api/pictures/queue', form, queuedSchema)
  }
  rateImage = (id: number, rating: number | null) => this.#send('PUT', `/api/images/${id}/rating`, { rating }, imageSchema)
  tagImage = (id: number, tags: readonly string[]) => this.#send('PUT', `/api/images/${id}/tags`, { tags }, imageSchema)
  queueImage = (id: number, request: QueueImageRequest) => this.#send('POST', `/api/images/${id}/queue`, request, queuedSchema)
  exportUrl = (format: ExportFormat, what: { ids: readonly number[] } | SortedSearch) =>
    this.url('/api/images/export', {
      format,
      ...('ids' in what ? { ids: what.ids.join() } : { search: JSON.stringify(what.search), sort: what.sort }),
    })
  exportState = () => this.#get('/api/exports', folderExportSchema.nullable())
  exportToFolder = (request: FolderExportRequest) => this.#send('POST', '/api/exports', request, folderExportSchema)
  stopExport = () => this.#send('POST', '/api/exports/stop', undefined, folderExportSchema.nullable())
  importState = () => this.#get('/api/imports', importStateSchema.nullable())
  importFolder = (folder: string) => this.#send('POST', '/api/imports', { folder }, importStateSchema)
  missingFiles = (): Promise<MissingFiles> => this.#get('/api/missing', missingFilesSchema)
  lookForMissing = () => this.#send('POST', '/api/missing/look', undefined, missingWorkSchema)
  findMoved = (request: FindMovedRequest) => this.#send('POST', '/api/missing/find', request, missingWorkSchema)
  removeMissing = (request: RemoveMissingRequest) => this.#send('POST', '/api/missing/remove', request, missingWorkSchema)
  stopMissing = () => this.#send('POST', '/api/missing/stop', undefined, missingWorkSchema.nullable())
  stopImport = () => this.#send('POST', '/api/imports/stop', undefined, importStateSchema.nullable())
  makeAgain = (id: number, request: MakeAgainRequest) => this.#send('POST', `/api/images/${id}/again`, request, queuedSchema)
  experiments = () => this.#get('/api/experiments', experimentsSchema)
  experiment = (id: number) => this.#get(`/api/experiments/${id}`, experimentSchema)
  newExperiment = (request: ExperimentRequest) => this.#send('POST', '/api/experiments', request, experimentSchema)
  removeExperiment = (id: number) => this.#send('POST', `/api/experiments/${id}/remove`, undefined)
  experimentResult = (id: number) => this.#get(`/api/experiments/${id}/result`, resultSchema)
  review = (id: number) => this.#get(`/api/experiments/${id}/review`, reviewSchema)
  answer = (id: number, answer: AnswerRequest) => this.#send('POST', `/api/experiments/${id}/answers`, answer, reviewSchema)
  undoAnswer = (id: number) => this.#send('POST', `/api/experiments/${id}/undo`, undefined, reviewSchema)
  pictureUrl = (experimentId: number, key: string) => this.url(`/api/experiments/${experimentId}/pictures/${key}`)
  recommendations = (scope: { model?: string; packId?: string }) =>
    this.#get('/api/recommendations', recommendationsSchema, scope)
  exportLearning = () => this.#send('POST', '/api/learning/export', undefined, exportedRecordsSchema)
  importLearning = (records: LearningRecords) => this.#send('POST', '/api/learning/import', records, importedRecordsSchema)
  models = (): Promise<BackendModels> => this.#get('/api/models', backendModelsSchema)
  settings = () => this.#get('/api/settings', settingsSchema)
  saveSettings = (settings: Settings) => this.#send('PUT', '/api/settings', settings, settingsSchema)
  diagnostics = (since: number): Promise<Diagnostics> => this.#get('/api/diagnostics', diagnosticsSchema, { since })
  foundBackends = (): Promise<FoundBackends> => this.#get('/api/backends/found', foundBackendsSchema)
  backendLog = (id: string, lines: number, after?: string): Promise<BackendLog> =>
    this.#get(`/api/backends/${id}/log`, backendLogSchema, { lines, after })
  freeMemory = (id: string) => this.#send('POST', `/api/backends/${id}/free-memory`, undefined, freedMemorySchema)
  heapSnapshot = () => this.#send('POST', '/api/diagnostics/heap-snapshot', undefined, heapSnapshotSchema)
  selftest = (): Promise<SelftestState> => this.#get('/api/selftest', selftestStateSchema)
  startSelftest = (request: z.input<typeof selftestRequestSchema>) =>
    this.#send('POST', '/api/selftest', request, selftestStateSchema)
  stopSelftest = () => this.#send('POST', '/api/selftest/stop', undefined, selftestStateSchema)
  open = (what: 'packs' | 'images' | 'log') => this.#send('POST', '/api/open', { what })
  shutdown = (request: ShutdownRequest) => this.#send('POST', '/api/shutdown', request)

  /** For what can't send a header: pictures, the event stream, beacons. */
  url(path: string, query: Query = {}): string {
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
    if (this.#token) search.set('token', this.#token)
    return `${this.#baseUrl}${path}${search.size ? `?${search}` : ''}`
  }

  previewUrl = (jobId: number, version: number) => this.url(`/api/jobs/${jobId}/preview`, { v: version })
  fileUrl = (id: number) => this.url(`/api/images/${id}/file`)
  thumbnailUrl = (id: number) => this.url(`/api/images/${id}/thumbnail`)

  async #get<T>(path: string, schema: z.ZodType<T>, query: Query = {}): Promise<T> {
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
    return parsed(schema, await this.#fetch('GET', `${path}${search.size ? `?${search}` : ''}`))
  }

  async #send(method: string, path: string, body: unknown): Promise<void>
  async #send<T>(method: string, path: string, body: unknown, schema: z.ZodType<T>): Promise<T>
  async #send<T>(method: string, path: string, body: unknown, schema?: z.ZodType<T>): Promise<T | undefined> {
    const answer = await this.#fetch(method, path, body)
    return schema ? parsed(schema, answer) : undefined
  }

  async #upload<T>(path: string, body: Blob | FormData, schema: z.ZodType<T>): Promise<T> {
    return parsed(schema, await this.#fetch('POST', path, body))
  }

  async #fetch(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = {}
    if (this.#token) headers.authorization = `Bearer ${this.#token}`
    const raw = body instanceof Blob || body instanceof FormData
    if (body !== undefined && !raw) headers['content-type'] = 'application/json'
    const sent = raw ? body : body === undefined ? null : JSON.stringify(body)
    let response: Response
    try {
      response = await fetch(this.#baseUrl + path, { method, headers, body: sent })
    } catch {
      throw new ApiError('unreachable', 'StableNew does not answer.')
    }
    const answer: unknown = await response.json().catch(() => undefined)
    if (!response.ok) throw errorOfAnswer(response.status, answer)
    return answer
  }
}

function parsed<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer)
  if (!result.success) throw new ApiError('bad_answer', z.prettifyError(result.error))
  return result.data
}
