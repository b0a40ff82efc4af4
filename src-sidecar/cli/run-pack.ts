import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { environment, platformFolders } from '../config/environment.ts'
import { foldersFor, makeFolders } from '../config/folders.ts'
import { SettingsFile } from '../config/settings-file.ts'
import type { AppEvent } from '../contract/events.ts'
import { type Core, openCore } from '../core.ts'
import { AppError } from '../errors/app-error.ts'
import { brokenPack } from '../jobs/queue.ts'
import type { StopReason } from '../lifecycle/component.ts'
import { ShutdownCoordinator } from '../lifecycle/shutdown-coordinator.ts'
import { openLog } from '../logging/logger.ts'
import { readPack } from '../packs/pack-library.ts'
import type { RunCommand } from './command-line.ts'
import type { RunReport } from './run-report.ts'

export interface PackRun {
  /** Settles when everything is gone: 0 all images made, 1 some failed or something was left. */
  readonly exitCode: Promise<number>
  /** Ends the run early; what was saved stays. Any number of times. */
  stop(reason: StopReason, now?: boolean): Promise<void>
}

/**
 * `stablenew run`: queues one pack, makes its images into `--out`, and leaves nothing else. It works in a folder of
 * its own, so that it runs beside the app.
 * @throws AppError `pack_not_found`, `pack_broken`, and what opening the core throws.
 */
export async function runPack(command: RunCommand, report: RunReport): Promise<PackRun> {
  const path = resolve(command.pack)
  const pack = await readPack(path, 'user', basename(path))
  if (pack.problem !== null) throw brokenPack(pack)

  const shared = foldersFor(platformFolders(), command.dataDir)
  const settings = new SettingsFile(shared.config)
  const broken = await settings.load(Date.now())
  if (broken !== null) report.notice(broken)

  const runId = randomUUID()
  const out = resolve(command.out)
  await mkdir(out, { recursive: true }).catch((cause: Error) => {
    throw new AppError('disk', `The folder ${out} can't be made: ${cause.message}`, { cause })
  })
  const own = foldersFor(platformFolders(), join(shared.data, 'runs', runId))
  await makeFolders({ ...own, images: own.data })
  await mkdir(shared.log, { recursive: true, mode: 0o700 })
  const log = openLog(shared.log, 'stablenew-run.log')
  const removeOwn = () => rm(own.data, { recursive: true, force: true })

  let core: Core
  try {
    core = await openCore({
      folders: { ...own, log: shared.log, images: out },
      runId,
      logger: log.logger,
      backend: settings.current.backend,
      publish: (event) => onEvent(event),
      env: environment(),
      containment: command.containment,
      draftArgs: command.draftArgs,
      foldersByDay: false,
      serverMode: false,
      notice: (message) => report.notice(message),
      atExit: () => command.atExit ?? 'cancel',
    })
  } catch (error) {
    await log.close()
    await removeOwn()
    throw error
  }

  const coordinator = new ShutdownCoordinator(() => {})
  coordinator.register({
    phase: 'jobs',
    name: 'running image',
    deadlineMs: 7000,
    run: (reason, force) => core.processor.stop(reason, force),
  })
  coordinator.register({
    phase: 'processes',
    name: 'backend',
    deadlineMs: 8000,
    run: (reason, force) => core.backend.stop(reason, force),
  })
  coordinator.register({
    phase: 'verify',
    name: 'processes',
    deadlineMs: 8000,
    run: (reason, force) => core.containment.stop(reason, force),
  })
  const exitCode = Promise.withResolvers<number>()
  const stop = async (reason: StopReason, now = false) => {
    const first = !coordinator.closing
    const { clean, steps } = await coordinator.request(reason, now)
    if (!first) return
    log.logger.info({ reason, steps }, 'run ended')
    core.closeDatabase()
    await log.close()
    await removeOwn()
    report.end(clean ? null : steps.filter(({ error }) => error !== null).map(({ name, error }) => `${name}: ${error}`))
    exitCode.resolve(clean && report.allMade ? 0 : 1)
  }
  const onEvent = (event: AppEvent) => {
    report.tell(event)
    if (report.done) void stop({ trigger: 'work-done' })
  }

  const signal = new AbortController().signal
  await core.containment.start(signal)
  await core.backend.start(signal)
  const jobIds = core.queue.add(pack, { packId: pack.id, images: command.images, seed: command.seed }, settings.current.recipe)
  report.begin(pack.name, jobIds.length, jobIds.length * command.images)
  await core.processor.start()
  return { exitCode: exitCode.promise, stop }
}
