import type { AppEvent } from '../contract/events.ts'
import type { Image } from '../contract/image.ts'
import type { Job } from '../contract/job.ts'
import { stageNames } from '../contract/stages.ts'
import type { StorageTrouble } from '../contract/storage.ts'

const barWidth = 24

export interface ReportOutput {
  /** Whether a line can be drawn over. */
  readonly isTerminal: boolean
  readonly columns: () => number
  /** Lines of JSON for programs in place of text; what is wrong goes to `error` as text all the same. */
  readonly json: boolean
  out(text: string): void
  error(text: string): void
}

/** What `stablenew run` shows: a progress bar (terminals only), a line for each file, a summary. */
export class RunReport {
  readonly #output: ReportOutput
  readonly #began = performance.now()
  readonly #ended = new Map<number, Job>()
  #jobs = Number.POSITIVE_INFINITY
  #images = 0
  #saved = 0
  #barShown = false
  #backendProblem = ''
  /** Since when nothing can be saved. */
  #troubleSinceMs: number | undefined

  constructor(output: ReportOutput) {
    this.#output = output
  }

  get done(): boolean {
    return this.#ended.size >= this.#jobs
  }

  get allMade(): boolean {
    return this.done && this.#saved === this.#images
  }

  begin(packName: string, jobs: number, images: number): void {
    this.#jobs = jobs
    this.#images = images
    if (this.#output.json) this.#event('begin', { pack: packName, jobs, images })
    else this.#line(`${packName}: ${jobs} ${jobs === 1 ? 'job' : 'jobs'}, ${images} ${images === 1 ? 'image' : 'images'}`)
  }

  notice(message: string): void {
    this.#clearBar()
    this.#output.error(`${message}\n`)
  }

  tell(event: AppEvent): void {
    if (event.type === 'progress') this.#bar(event.progress.fraction)
    else if (event.type === 'image') this.#image(event.image)
    else if (event.type === 'storage') this.#storage(event.storage)
    else if (event.type === 'job') this.#job(event.job)
    else if (event.type === 'backends') {
      const problem = event.backends.map((backend) => backend.problem?.message ?? '').find(Boolean) ?? ''
      if (problem !== '' && problem !== this.#backendProblem) this.notice(`${problem} Trying again.`)
      this.#backendProblem = problem
    }
  }

  /** @param failures what did not end as it should. */
  end(failures: readonly string[]): void {
    this.#clearBar()
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1)
    if (this.#output.json) this.#event('end', { saved: this.#saved, images: this.#images, seconds: Number(seconds), failures })
    else this.#output.out(`${this.#saved} of ${this.#images} ${this.#images === 1 ? 'image' : 'images'} in ${seconds} s\n`)
    for (const failure of failures) this.#output.error(`Not ended cleanly: ${failure}\n`)
  }

  #image({ path, stage, seed, width, height, recipe, jobId, imageIndex }: Image): void {
    // What a stage that failed has left is no image that was asked for.
    const isWhole = stage === stageNames(recipe).length - 1
    if (isWhole) this.#saved++
    const name = stageNames(recipe)[stage]
    if (this.#output.json)
      this.#event('image', { file: path, job: jobId, image: imageIndex + 1, seed, width, height, stage: name, isWhole })
    else if (!isWhole) this.#line(`Kept, made by ${name}: ${path}`)
    else this.#line(`${String(this.#saved).padStart(String(this.#images).length)}/${this.#images}  ${path}`)
  }

  /** Once when it begins, and once when it is over. */
  #storage(trouble: StorageTrouble | null): void {
    if (trouble?.sinceMs === this.#troubleSinceMs) return
    this.#troubleSinceMs = trouble?.sinceMs
    if (this.#output.json) this.#event('storage', { trouble })
    this.notice(trouble?.message ?? 'It can be written again: it goes on.')
  }

  /** Images that were made in vain. */
  unsaved(images: number): void {
    if (images === 0) return
    if (this.#output.json) this.#event('unsaved', { images })
    this.notice(`${images} ${images === 1 ? 'image was' : 'images were'} made and could not be saved.`)
  }

  #event(event: string, data: object): void {
    this.#output.out(`${JSON.stringify({ event, ...data })}\n`)
  }

  #job(job: Job): void {
    if (job.state === 'failed' || job.state === 'quarantined') {
      if (this.#output.json) this.#event('failed', { job: job.id, prompt: job.promptIndex + 1, problem: job.problem })
      this.notice(`Prompt ${job.promptIndex + 1} failed: ${job.problem?.message}`)
    }
    if (job.endedAtMs !== null) this.#ended.set(job.id, job)
  }

  #bar(fraction: number): void {
    if (!this.#output.isTerminal || this.#output.json) return
    const whole = (this.#saved + fraction) / this.#images
    const filled = Math.round(whole * barWidth)
    const text = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${String(Math.round(whole * 100)).padStart(3)}%  image ${Math.min(this.#saved + 1, this.#images)}/${this.#images}`
    this.#output.out(`\r\x1b[K${text.slice(0, this.#output.columns() - 1)}`)
    this.#barShown = true
  }

  #line(text: string): void {
    this.#clearBar()
    this.#output.out(`${text}\n`)
  }

  #clearBar(): void {
    if (this.#barShown) this.#output.out('\r\x1b[K')
    this.#barShown = false
  }
}
