import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { EventStream } from './api/event-stream.ts'
import type { ServeCommand } from './cli/command-line.ts'
import type { Host } from './cli/host.ts'
import { acquireInstance } from './cli/second-start.ts'
import { composeApp } from './compose-app.ts'
import { environment, platformFolders } from './config/environment.ts'
import { foldersFor, makeFolders } from './config/folders.ts'
import { removeInstance, writeInstance } from './config/instance-file.ts'
import { SettingsFile } from './config/settings-file.ts'
import { appVersion } from './config/version.ts'
import type { Job } from './contract/job.ts'
import type { Closing } from './contract/status.ts'
import { openCore } from './core.ts'
import type { StopReason } from './lifecycle/component.ts'
import { ShutdownCoordinator, type ShutdownReport } from './lifecycle/shutdown-coordinator.ts'
import { openLog } from './logging/logger.ts'
import { InstanceLock } from './store/instance-lock.ts'

export interface App {
  /** Any trigger, any number of times; the first one wins. */
  shutdown(reason: StopReason, now?: boolean): Promise<ShutdownReport>
  /** Settles when everything is gone. */
  readonly closed: Promise<ShutdownReport>
}

/**
 * Builds and starts the whole app: lock, log, settings, core, API, shell, in that order; what was started is stopped
 * again before it throws.
 * @param handshake the shell's first line, where a shell started us.
 * @param abort ends the start early.
 * @throws AppError, `already_running` among them.
 */
export async function startApp(command: ServeCommand, host: Host, handshake: string | null, abort: AbortSignal): Promise<App> {
  const began = performance.now()
  const folders = foldersFor(platformFolders(), command.dataDir)
  await makeFolders(folders)
  const lock = new InstanceLock(join(folders.data, 'instance.lock'))
  await acquireInstance(lock, folders.data, abort)

  const log = openLog(folders.log, 'stablenew.log')
  const { logger } = log
  const runId = randomUUID()
  const token = randomBytes(32).toString('base64url')
  const events = new EventStream(runId)
  const notices: string[] = []
  const notice = (message: string) => {
    notices.push(message)
    logger.warn(message)
    host.notice(message)
  }
  logger.info({ version: appVersion, runId, command, node: process.version }, 'StableNew starts')

  let closing: Closing | null = null
  const coordinator = new ShutdownCoordinator((reason, step) => {
    closing = { trigger: reason.trigger, step, sinceMs: closing?.sinceMs ?? Date.now() }
    logger.info({ reason, step }, 'closing')
    events.publish({ type: 'closing', closing })
  })
  const ended = Promise.withResolvers<ShutdownReport>()
  let closeDatabase = () => {}
  const shutdown = async (reason: StopReason, now = false): Promise<ShutdownReport> => {
    const first = !coordinator.closing
    const report = await coordinator.request(reason, now)
    if (first) {
      await removeInstance(folders.data)
      closeDatabase()
      logger.info({ report }, report.clean ? 'StableNew has closed' : 'StableNew has closed, not cleanly')
      await log.close()
      lock.release()
      ended.resolve(report)
    }
    return await ended.promise
  }

  try {
    const settings = new SettingsFile(folders.config)
    const setAside = await settings.load(Date.now())
    if (setAside !== null) notice(setAside)
    const core = await openCore({
      folders,
      runId,
      logger,
      backend: settings.current.backend,
      publish: events.publish,
      env: environment(),
      containment: command.containment,
      draftArgs: command.draftArgs,
      foldersByDay: true,
      drain: true,
    })
    closeDatabase = core.closeDatabase
    for (const job of core.recovered) notice(recoveredNotice(job))
    const end = (trigger: StopReason['trigger'], now?: boolean) => void shutdown({ trigger }, now)
    const status = () => ({ closing, notices })
    const context = {
      command,
      handshake,
      host,
      folders,
      logger,
      runId,
      token,
      events,
      settings,
      core,
      coordinator,
      status,
      notice,
      end,
    }
    const { components, server, shell } = await composeApp(context)
    for (const component of components) {
      abort.throwIfAborted()
      await component.start(abort)
    }
    const { leftovers } = core.containment
    if (leftovers?.message !== undefined) notice(leftovers.message)
    const url = `http://127.0.0.1:${server.port}`
    await writeInstance(folders.data, { pid: process.pid, url, token })
    host.ready({ url: `${url}/?token=${token}`, port: server.port, token, runId })
    await shell.start(abort)
    await core.processor.start()
    logger.info({ port: server.port, shell: shell.kind, ms: Math.round(performance.now() - began) }, 'StableNew is ready')
  } catch (error) {
    if (!abort.aborted && !coordinator.closing) logger.error({ err: error }, 'the start failed')
    await shutdown({ trigger: 'start-failed', detail: String(error) })
    if (!abort.aborted) throw error
  }
  return { shutdown, closed: ended.promise }
}

function recoveredNotice(job: Job): string {
  const fate =
    job.state === 'quarantined' ? 'is kept out of the queue (Retry puts it back)' : `goes on at image ${job.imagesDone + 1}`
  return `The last run ended in the middle of job ${job.id} (${job.packName}): it ${fate}.`
}
