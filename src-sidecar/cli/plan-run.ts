import { randomInt } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { AppError } from '../errors/app-error.ts'
import { type OpenPack, packBroken } from '../packs/load-pack.ts'
import { ownSettings } from '../packs/own-settings.ts'
import { type PackJobs, packJobs } from '../packs/pack-jobs.ts'
import { loadPackAt, wildcardFoldersOf } from '../packs/pack-library.ts'
import { readSettings, readSweep } from '../packs/read-setting.ts'
import { withWildcards } from '../packs/wildcard-folders.ts'
import type { RunCommand } from './command-line.ts'

export interface RunPlan {
  readonly pack: OpenPack['summary']
  readonly jobs: PackJobs
  /** Of each job. */
  readonly images: number
}

/**
 * What `stablenew run` makes of its arguments. Wildcard lists are looked for beside the pack, then in `packsFolder`.
 * @throws AppError `pack_not_found`, `pack_broken`, `bad_request`.
 */
export async function planRun(command: RunCommand, packsFolder: string): Promise<RunPlan> {
  const path = resolve(command.pack)
  const loaded = await loadPackAt(dirname(path), basename(path), 'user')
  if (loaded.content.problem !== null) throw packBroken(loaded.summary)
  const pack = await withWildcards(loaded, [...wildcardFoldersOf(dirname(path)), ...wildcardFoldersOf(packsFolder)])
  const { sections, settings: set } = readSettings(command.set, pack.content.settings)
  const asked = { ...pack, content: { ...pack.content, settings: sections } }
  const images = command.images ?? ownSettings(sections).images ?? 1
  const jobs = packJobs(asked, {
    images,
    settings: { ...set, ...(command.seed !== undefined && { seed: command.seed }) },
    drawSeed: command.seed ?? randomInt(2 ** 32),
    sweeps: command.sweep.map(readSweep),
    ...(command.limit !== undefined && { limit: command.limit }),
  })
  if (jobs.count === 0n) throw new AppError('pack_broken', `The pack ${path} has no prompts.`)
  return { pack: pack.summary, jobs, images }
}

/** Written at once. */
const blockLength = 64 * 1024

/**
 * `--dry-run`: every job, each built when it is written; with `--json` a line of JSON each.
 * @param write resolves to false when nobody reads any more
 */
export async function printPlan(
  { pack, jobs, images }: RunPlan,
  json: boolean,
  write: (text: string) => Promise<boolean>,
): Promise<void> {
  const [many, each] = [jobs.count.toLocaleString('en'), images > 1 ? `, ${images} images each` : '']
  let block = json ? '' : `${pack.name}: ${many} ${jobs.count === 1n ? 'job' : 'jobs'}${each}\n`
  for (let index = 0n; index < jobs.count; index++) {
    const job = jobs.at(index)
    block += json ? `${JSON.stringify({ ...job, images })}\n` : lines(job)
    if (block.length < blockLength) continue
    if (!(await write(block))) return
    block = ''
  }
  await write(block)
}

function lines({ promptIndex, prompt, negativePrompt, chosen, seed }: ReturnType<PackJobs['at']>): string {
  const named = Object.values(chosen).flatMap((values) => Object.entries(values).map(([name, value]) => `${name}=${value}`))
  const facts = [`prompt ${promptIndex + 1}`, ...(seed === undefined ? [] : [`seed ${seed}`]), ...named]
  return `\n${facts.join(' · ')}\n  ${prompt}\n${negativePrompt && `  neg: ${negativePrompt}\n`}`
}
