import type { Problem } from '../contract/job.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { BackendStatus } from '../contract/status.ts'
import type { Component } from '../lifecycle/component.ts'
import type { ContainedProcess } from '../processes/spawn-contained.ts'
import type { KnownModels } from './known-models.ts'

/** How far the image that is being made has come. */
export interface GenerateProgress {
  readonly step: number
  readonly steps: number
  /** 0 to 1. */
  readonly fraction: number
  /** As the backend says; null where it doesn't. */
  readonly remainingMs: number | null
  /** An encoded picture (PNG, JPEG or WebP), where there is a new one. */
  readonly preview: Uint8Array | null
}

/** What was really made. */
export interface GeneratedImage {
  /** A whole PNG. */
  readonly png: Uint8Array
  readonly width: number
  readonly height: number
  readonly seed: number
  readonly checkpoint: string
  /** A1111's infotext. */
  readonly parameters: string
  /** From the request to the last byte of the answer. */
  readonly durationMs: number
}

/**
 * How a request ended, as data. `interrupted`: our signal came first. `rejected`: this job can't be done, others may.
 * `unavailable`: the backend is not there; the job is as good as before, unless `crashed` says that it went down with it.
 */
export type GenerateResult =
  /** The server is free for the next image; `image`, to be called once, reads this one. @throws AppError `backend_bad_answer` where it is none. */
  | { readonly outcome: 'done'; readonly image: () => Promise<GeneratedImage> }
  | { readonly outcome: 'interrupted' }
  | { readonly outcome: 'rejected'; readonly problem: Problem }
  | { readonly outcome: 'unavailable'; readonly problem: Problem; readonly crashed: boolean }

export interface GenerateRequest {
  readonly recipe: Recipe
  /** Of this image: the recipe's seed plus its place in the job. */
  readonly seed: number
  /** What the recipe's source begins with; absent: the file that it names. */
  readonly picture?: Uint8Array | undefined
}

/** A server that makes images. The queue and the UI know no other face of it. */
export interface Backend extends Component {
  readonly status: BackendStatus
  /** What runs for it; null where nothing does, or the server is not ours. */
  readonly process: ContainedProcess | null
  /** What the server has; null while that is not known. */
  readonly known: KnownModels | null
  /** Whether it may be asked for an image again, after it was not there: a server that somebody else runs is looked for. */
  reach(signal: AbortSignal): Promise<boolean>
  /**
   * Makes one image; starts the server first where it is ours and not running. Never throws. When `signal` aborts, the
   * server is interrupted, and the promise settles once it has let go, within `interruptMs`.
   */
  generate(
    request: GenerateRequest,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<GenerateResult>
  /**
   * Ends what runs for it, if anything does; the next image starts it anew. Only between two images.
   * @param force ends it without grace
   */
  recycle(force: AbortSignal): Promise<void>
  /**
   * Gives back the memory of models, where the server can; the next image loads them again.
   * @returns false where there was nothing to give back, or the server can't.
   * @throws AppError `conflict` while it makes an image, and what the server answers badly.
   */
  freeMemory(signal: AbortSignal): Promise<boolean>
  /** The user asks for images: what failed too often is tried again. */
  tryAgain(): void
}
