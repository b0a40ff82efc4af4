import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { appVersion } from '../config/version.ts'
import { localDate, safeFileName } from '../contract/file-name.ts'
import type { Image } from '../contract/image.ts'
import type { Job } from '../contract/job.ts'
import { stageNames } from '../contract/stages.ts'

/** A file of JSON for each job that is over: what was asked for, and each image that came of it. */
export class JobManifests {
  readonly #folder: string
  readonly #imagesOf: (jobId: number) => readonly Image[]

  constructor(folder: string, imagesOf: (jobId: number) => readonly Image[]) {
    this.#folder = folder
    this.#imagesOf = imagesOf
  }

  /** `<day>/<pack>-<job>.json` */
  pathOf({ id, packName, createdAtMs }: Job): string {
    return join(this.#folder, localDate(createdAtMs), `${safeFileName(packName)}-${id}.json`)
  }

  /** In place of an older one, of before a retry. @throws where the disk does not take it */
  async write(job: Job): Promise<void> {
    const path = this.pathOf(job)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFileAtomic(path, `${JSON.stringify(manifest(job, this.#imagesOf(job.id)), null, 2)}\n`, { mode: 0o600 })
  }

  /** Those that a crash came before. */
  async writeMissing(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) if (!existsSync(this.pathOf(job))) await this.write(job)
  }
}

const manifest = (job: Job, images: readonly Image[]) => ({
  madeBy: `StableNew ${appVersion}`,
  job: job.id,
  pack: job.packName,
  prompt: job.promptIndex + 1,
  state: job.state,
  problem: job.problem,
  queuedAt: new Date(job.createdAtMs).toISOString(),
  endedAt: job.endedAtMs === null ? null : new Date(job.endedAtMs).toISOString(),
  recipe: job.recipe,
  images: images.map((image) => ({
    file: image.path,
    image: image.imageIndex + 1,
    stage: stageNames(job.recipe)[image.stage],
    intermediate: image.intermediate,
    seed: image.seed,
    width: image.width,
    height: image.height,
    checkpoint: image.checkpoint,
    backend: image.backend,
    durationMs: image.durationMs,
    parameters: image.parameters,
  })),
})
