import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { chosenBackends } from './cli/chosen-backend.ts'
import type { RunCommand } from './cli/command-line.ts'
import { planRun } from './cli/plan-run.ts'
import type { RunReport } from './cli/run-report.ts'
import { composeEnd } from './compose-end.ts'
import { environment, platformFolders } from './config/environment.ts'
import { foldersFor, makeFolders } from './config/folders.ts'
import { SettingsFile } from './config/settings-file.ts'
import type { AppEvent } from './contract/events.ts'
import { flatPattern } from './contract/image-name.ts'
import { maxJobsAtOnce } from './contract/pack.ts'
import { openCore } from './core.ts'
import { AppError } from './errors/app-error.ts'
import type { Component, StopReason } from './lifecycle/component.ts'
import type { Phase } from './lifecycle/shutdown-coordinator.ts'
import { openLog } from './logging/logger.ts'
import { allJobs } from './packs/pack-jobs.ts'
import { KeepAwake } from './processes/keep-awake.ts'

export interface PackRun {
  /** Settles when everything is gone: 0 all images made, 1 some failed or something was left, 74 the images could not be saved. */
  readonly exitCode: Promise<number>
  /** Whether a write hangs, which Node's own exit would wait for. */
  readonly stuck: boolean
  /** A further request to end, after `abort`: cuts grace short. */
  again(reason: StopReason): void
  /** For the `exit` event: writes down an exit that went past the shutdown. */
  exitedPast(exitCode: number): void
}

const stepMs = 8000
/** `EX_IOERR` of sysexits.h. */
const notSavedCode = 74

/**
 * `stablenew run`: queues one pack, makes its images into `--out`, and leaves nothing else. It works in a folder of
 * its own, so that it runs beside the app.
 * @param abort ends the run early, its reason is a StopReason; what was saved stays.
 * @throws AppError `pack_not_found`, `pack_broken`, `bad_request`, `too_large`, and what opening the core throws.
 */
export async function runPack(
  command: RunCommand,
  report: RunReport,
  parentPid: number | null,
  abort: AbortSignal,
): Promise<PackRun> {
  const shared = foldersFor(platformFolders(), command.dataDir)
  const { pack, jobs, images } = await planRun(command, shared.packs)
  const prompts = await allJobs(jobs, maxJobsAtOnce, () => setImmediate())

  const settings = new SettingsFile(shared.config)
  const broken = await settings.load(Date.now())
  if (broken !== null) report.notice(broken)
  const backends = chosenBackends(settings.current.backends, command.backend)

  const runId = randomUUID()
  const out = resolve(command.out)
  await mkdir(out, { recursive: true }).catch((cause: Error) => {
    throw new AppError('disk', `The folder ${out} can't be made: ${cause.message}`, { cause })
  })
  const own = foldersFor(platformFolders(), join(shared.data, 'runs', runId))
  makeFolders({ ...own, images: own.data })
  await mkdir(shared.log, { recursive: true, mode: 0o700 })
  const log = openLog(shared.log, 'stablenew-run.log')

  const parts = composeEnd({
    runId,
    logger: log.logger,
    files: { logFile: join(shared.log, 'shutdown.log'), reportFile: join(own.data, 'last-shutdown.json') },
    compileCacheDir: join(shared.cache, 'force-exit'),
    parentPid,
    diagnose: false,
    abort,
    onClosing: () => {},
  })
  const { end } = parts
  parts.starting('database')
  end.finallyDo('folder of the run', () => rm(own.data, { recursive: true, force: true }))
  end.finallyDo('log', () => log.close())
  let unsaved = () => 0
  let writeHangs = () => false
  let givingUp: NodeJS.Timeout | undefined
  const finish = async (reason: StopReason): Promise<number> => {
    clearTimeout(givingUp)
    const { verdict, steps, left } = await end.request(reason)
    report.unsaved(unsaved())
    const failed = steps.filter(({ error }) => error !== null).map(({ name, error }) => `${name}: ${error}`)
    report.end([...failed, ...left])
    return verdict === 'clean' && report.allMade ? 0 : 1
  }
  // Events go on while everything ends, and an abort may come then: the summary is written once.
  let ending: Promise<number> | undefined
  const stop = (reason: StopReason): Promise<number> => {
    ending ??= finish(reason)
    return ending
  }
  const finished = Promise.withResolvers<number>()
  const giveUp = async () => {
    const detail = `the images could not be saved for ${command.diskWait} s`
    await stop({ trigger: 'work-done', detail, runningImage: 'cancel' })
    finished.resolve(notSavedCode)
  }
  const onEvent = (event: AppEvent) => {
    report.tell(event)
    if (event.type === 'storage') {
      if (event.storage !== null) givingUp ??= setTimeout(() => void giveUp(), command.diskWait * 1000)
      else {
        clearTimeout(givingUp)
        givingUp = undefined
      }
    }
    if (report.done) finished.resolve(stop({ trigger: 'work-done' }))
  }

  try {
    const core = await openCore({
      folders: { ...own, log: shared.log, images: out },
      runId,
      logger: log.logger,
      backends,
      publish: onEvent,
      env: environment(),
      containment: command.containment ?? settings.current.containment,
      draftArgs: command.draftArgs,
      filePattern: flatPattern,
      // Jobs are numbered anew in each run.
      manifestsFolder: join(out, 'manifests', runId.slice(0, 8)),
      serverMode: false,
      checkDatabase: false,
      notice: (message) => report.notice(message),
      remark: (text) => end.remark(text),
      recycling: () => settings.current,
      atExit: () => command.atExit ?? 'cancel',
    })
    end.finallyDo('database', core.closeDatabase)
    unsaved = () => core.inHand.all.length
    writeHangs = () => core.storage.hangs
    parts.guardsAre(() => core.containment.processes.map(({ identity }) => identity))
    const atEnd = (phase: Phase, name: string, component: Pick<Component, 'stop'>) =>
      end.coordinator.register({ phase, name, deadlineMs: stepMs, run: (reason, force) => component.stop(reason, force) })
    const keepAwake = new KeepAwake({ containment: core.containment, env: environment(), logger: log.logger })
    end.coordinator.register({ phase: 'intake', name: 'storage', deadlineMs: stepMs, run: async () => core.storage.close() })
    atEnd('jobs', 'running image', core.processor)
    atEnd('components', 'storage', core.storage)
    atEnd('components', 'keep awake', keepAwake)
    atEnd('processes', 'backend', core.backends)
    atEnd('verify', 'processes', core.containment)

    parts.starting('backends')
    await core.containment.start(abort)
    await core.backends.start(abort)
    abort.throwIfAborted()
    parts.starting('queue')
    const batch = { packId: pack.id, packName: pack.name, prompts, images }
    const jobIds = await core.queue.add(batch, settings.current.recipe, async () => {
      await setImmediate()
      abort.throwIfAborted()
    })
    report.begin(pack.name, jobIds.length, jobIds.length * images)
    await core.processor.start()
    keepAwake.busy(true)
    parts.ready()
  } catch (error) {
    if (!abort.aborted) {
      await end.request({ trigger: 'start-failed', detail: String(error) })
      throw error
    }
  }
  const aborted = new Promise<number>((resolve) => {
    const onAbort = () => resolve(stop(abort.reason as StopReason))
    if (abort.aborted) onAbort()
    else abort.addEventListener('abort', onAbort, { once: true })
  })
  return {
    exitCode: Promise.race([finished.promise, aborted]),
    get stuck() {
      return writeHangs()
    },
    again: (reason) => void end.request(reason),
    exitedPast: (exitCode) => end.exitedPast(exitCode),
  }
}
