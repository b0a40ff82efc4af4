import type { z } from 'zod'
import type { PackSettings, PreviewJob, packChoiceSchema, Sweep } from '../contract/pack.ts'
import type { Chosen, RecipeDefaults } from '../contract/recipe.ts'
import { settingSchemas } from '../contract/sweep.ts'
import { AppError } from '../errors/app-error.ts'
import { expand } from './expand/expansion.ts'
import { hash } from './expand/seeded-choice.ts'
import type { OpenPack } from './load-pack.ts'
import { ownSettings } from './own-settings.ts'

/** A prompt as it is queued, and what its pack and a sweep set. */
export interface PackJob {
  readonly promptIndex: number
  readonly prompt: string
  readonly negativePrompt: string
  readonly chosen: Chosen
  readonly settings: Partial<RecipeDefaults>
  /** First seed; undefined: any. */
  readonly seed: number | undefined
}

export interface PackJobs {
  /** Exact, before any is built. */
  readonly count: bigint
  /** @throws AppError `pack_broken`, RangeError. */
  at(index: bigint): PackJob
}

export type JobChoice = Omit<z.output<typeof packChoiceSchema>, 'drawSeed'> & {
  readonly drawSeed: number
  /** What is asked for over the pack's own settings. */
  readonly settings?: PackSettings | undefined
  /** Of each job; absent: as the pack says. */
  readonly images?: number | undefined
}

/** Characters of all prompts of a batch: what a queue of 100,000 may take in memory. */
const maxCharacters = 256 * 2 ** 20

/**
 * The jobs that a pack makes: its prompts, expanded, each with every combination of the swept values, the last sweep
 * changing fastest. A sweep keeps prompt and seed, so that only what is swept differs.
 * @throws AppError `pack_broken` (what and where), `bad_request` (no such prompt, no such value).
 */
export function packJobs(pack: OpenPack, choice: JobChoice): PackJobs {
  const { content, summary, wildcards } = pack
  const prompts = choice.prompts?.map((index) => content.prompts[index] ?? noPrompt(summary.name, content.prompts.length, index))
  const lists = new Map([...wildcards, ...content.wildcards])
  const { matrix, searchReplace } = content
  const expansion = expand({
    prompts: prompts ?? content.prompts,
    matrix,
    searchReplace,
    wildcards: lists,
    seed: choice.drawSeed,
  })
  const sweeps = choice.sweeps.map(checkedSweep)
  const perPrompt = sweeps.reduce((count, { values }) => count * BigInt(values.length), 1n)
  const all = expansion.count * perPrompt
  const count = choice.limit !== undefined && BigInt(choice.limit) < all ? BigInt(choice.limit) : all
  const { images = 1, seed: ownSeed, seedMode, ...own } = { ...ownSettings(content.settings), ...choice.settings }

  const at = (index: bigint): PackJob => {
    if (index < 0n || index >= count) throw new RangeError(`There are ${count} jobs, from index 0; there is none at ${index}.`)
    const base = index / perPrompt
    const { seed: sweptSeed, ...swept } = sweptAt(sweeps, index % perPrompt)
    const { chosen, ...texts } = expansion.at(base)
    const names = Object.entries({ ...swept, ...(sweptSeed !== undefined && { seed: sweptSeed }) })
    const shared = sweeps.length > 0 ? hash(`${choice.drawSeed}:job:${base}`) : undefined
    return {
      ...texts,
      chosen: {
        ...(Object.keys(chosen.slots).length > 0 && { slots: chosen.slots }),
        ...(Object.keys(chosen.wildcards).length > 0 && { wildcards: chosen.wildcards }),
        ...(names.length > 0 && { sweep: Object.fromEntries(names.map(([name, value]) => [name, String(value)])) }),
      },
      settings: { ...own, ...swept },
      seed: sweptSeed ?? (seedMode === 'increment' ? counted(ownSeed, base, choice.images ?? images) : ownSeed) ?? shared,
    }
  }
  return { count, at }
}

/** Counts on where the job before ends. */
const counted = (seed: number | undefined, job: bigint, images: number): number | undefined =>
  seed === undefined ? undefined : Number((BigInt(seed) + job * BigInt(images)) % 2n ** 32n)

/** `length` of them from `offset` on; one that can't be made says why. */
export function previewJobs(jobs: PackJobs, offset: number, length: number): PreviewJob[] {
  const shown: PreviewJob[] = []
  for (let index = BigInt(offset); index < jobs.count && shown.length < length; index++) {
    try {
      const { promptIndex, prompt, negativePrompt, chosen } = jobs.at(index)
      shown.push({ promptIndex, prompt, negativePrompt, chosen, problem: null })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const promptIndex = Number(error.data.promptIndex ?? 0)
      shown.push({ promptIndex, prompt: '', negativePrompt: '', chosen: {}, problem: error.message })
    }
  }
  return shown
}

/**
 * All of them, in slices, so that the event loop goes on.
 * @param pause between two slices; it may throw to give up
 * @throws AppError `pack_broken`, `too_large` (more than `max`, or more text than memory should hold).
 */
export async function allJobs(jobs: PackJobs, max: number, pause: () => Promise<void>): Promise<PackJob[]> {
  if (jobs.count > BigInt(max))
    throw tooLarge(
      `This makes ${jobs.count.toLocaleString('en')} jobs; at most ${max.toLocaleString('en')} can be queued at once.`,
    )
  const all: PackJob[] = []
  let [characters, since] = [0, performance.now()]
  for (let index = 0n; index < jobs.count; index++) {
    const job = jobs.at(index)
    characters += job.prompt.length + job.negativePrompt.length
    if (characters > maxCharacters)
      throw tooLarge(`The prompts of these ${jobs.count.toLocaleString('en')} jobs are too long for one batch.`)
    all.push(job)
    if (performance.now() - since < 20) continue
    await pause()
    since = performance.now()
  }
  return all
}

const tooLarge = (message: string): AppError =>
  new AppError('too_large', `${message} Choose some of the prompts, or set a limit.`)

function checkedSweep({ key, values }: Sweep): { key: Sweep['key']; values: (string | number)[] } {
  const checked = values.map((value) => {
    const result = settingSchemas[key].safeParse(value)
    if (result.success) return result.data
    throw new AppError(
      'bad_request',
      `The sweep of ${key} can't take ${JSON.stringify(value)}: ${result.error.issues[0]?.message}`,
    )
  })
  return { key, values: checked }
}

function sweptAt(sweeps: readonly { key: Sweep['key']; values: readonly (string | number)[] }[], index: bigint): PackSettings {
  let rest = index
  const swept: [string, string | number][] = []
  for (const { key, values } of sweeps.toReversed()) {
    swept.push([key, values[Number(rest % BigInt(values.length))]!])
    rest /= BigInt(values.length)
  }
  return Object.fromEntries(swept.reverse())
}

function noPrompt(name: string, count: number, index: number): never {
  throw new AppError('bad_request', `The pack "${name}" has ${count} prompts; there is none with index ${index}.`)
}
