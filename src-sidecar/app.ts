import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApi } from './api/api.ts'
import { EventStream } from './api/event-stream.ts'
import { HttpServer } from './api/http-server.ts'
import { PageTracker } from './api/page-tracker.ts'
import type { ServeCommand } from './cli/command-line.ts'
import type { Host } from './cli/host.ts'
import { acquireInstance } from './cli/second-start.ts'
import { createShell, type Shell } from './compose-shell.ts'
import { environment, platformFolders } from './config/environment.ts'
import { foldersFor, makeFolders } from './config/folders.ts'
import { removeInstance, writeInstance } from './config/instance-file.ts'
import { SettingsFile } from './config/settings-file.ts'
import { appVersion } from './config/version.ts'
import type { OpenRequest } from './contract/requests.ts'
import type { Closing, Status } from './contract/status.ts'
import { type Core, openCore } from './core.ts'
import { AppError } from './errors/app-error.ts'
import { Thumbnails } from './history/thumbnails.ts'
import type { StopReason } from './lifecycle/component.ts'
import { ShutdownCoordinator, type ShutdownReport } from './lifecycle/shutdown-coordinator.ts'
import { openLog } from './logging/logger.ts'
import { PackLibrary } from './packs/pack-library.ts'
import { InstanceLock } from './store/instance-lock.ts'

const resources = (name: string): string => fileURLToPath(new URL(`../resources/${name}`, import.meta.url))

export interface App {
  /** Any trigger, any number of times; the first one wins. */
  shutdown(reason: StopReason, now?: boolean): Promise<ShutdownReport>
  /** Settles when everything is gone. */
  readonly closed: Promise<ShutdownReport>
}

/**
 * Builds and starts the whole app. When it fails, what was started is stopped again before it throws.
 * @throws AppError, `already_running` among them.
 */
export async function startApp(command: ServeCommand, host: Host, handshake: string | null): Promise<App> {
  const folders = foldersFor(platformFolders(), command.dataDir)
  await makeFolders(folders)
  const lock = new InstanceLock(join(folders.data, 'instance.lock'))
  await acquireInstance(lock, folders.data)

  const log = openLog(folders.log, 'stablenew.log')
  const { logger } = log
  const runId = randomUUID()
  const token = randomBytes(32).toString('base64url')
  const startedAt = performance.now()
  const notices: string[] = []
  const notice = (message: string) => {
    notices.push(message)
    logger.warn(message)
    host.notice(message)
  }
  logger.info({ version: appVersion, runId, command, node: process.version, pid: process.pid }, 'StableNew starts')

  const events = new EventStream(runId)
  let closing: Closing | null = null
  const coordinator = new ShutdownCoordinator((reason, step) => {
    closing = { trigger: reason.trigger, step, sinceMs: closing?.sinceMs ?? Date.now() }
    logger.info({ reason, step }, 'closing')
    events.publish({ type: 'closing', closing })
  })
  const ended = Promise.withResolvers<ShutdownReport>()
  let letGo = () => {}
  const shutdown = async (reason: StopReason, now = false): Promise<ShutdownReport> => {
    const first = !coordinator.closing
    const report = await coordinator.request(reason, now)
    if (first) {
      logger.info({ report }, report.clean ? 'StableNew has closed' : 'StableNew has closed, not cleanly')
      await removeInstance(folders.data)
      letGo()
      lock.release()
      await log.close()
      ended.resolve(report)
    }
    return await ended.promise
  }

  try {
    const settings = new SettingsFile(folders.config)
    const broken = await settings.load(Date.now())
    if (broken !== null) notice(broken)

    const core: Core = await openCore({
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
    letGo = core.closeDatabase
    for (const job of core.recovered) {
      const fate =
        job.state === 'quarantined' ? 'is kept out of the queue (Retry puts it back)' : `goes on at image ${job.imagesDone + 1}`
      notice(`The last run ended in the middle of job ${job.id} (${job.packName}): it ${fate}.`)
    }
    const packs = new PackLibrary(resources('packs'), folders.packs, () => events.publish({ type: 'packs' }))
    const pages = new PageTracker(() => void shutdown({ trigger: 'last-page-closed' }))
    const allowedOrigins = new Set<string>()
    const opened: Record<OpenRequest['what'], string> = { packs: folders.packs, images: folders.images, log: folders.log }
    const thumbnailFolder = join(folders.cache, 'thumbnails')
    await makeFolders({ ...folders, cache: thumbnailFolder })

    const api = createApi({
      auth: { token, port: () => server.port, allowedOrigins },
      logger,
      uiFolder: resources('ui'),
      packs,
      queue: core.queue,
      history: core.history,
      thumbnails: new Thumbnails(thumbnailFolder),
      events,
      pages,
      settings,
      saveSettings: async (wanted) => {
        const changed = JSON.stringify(wanted.backend) !== JSON.stringify(settings.current.backend)
        await settings.save(wanted)
        if (changed) await core.changeBackend(wanted.backend)
      },
      status: (): Status => ({
        version: appVersion,
        runId,
        shell: shell.kind,
        dataFolder: folders.data,
        packsFolder: folders.packs,
        imagesFolder: folders.images,
        logFile: join(folders.log, 'stablenew.log'),
        backend: core.backend.status,
        closing,
        notices,
      }),
      preview: (jobId) => (core.runner.progress?.jobId === jobId ? (core.runner.preview?.bytes ?? null) : null),
      open: (what) => host.open(opened[what]),
      front: async () => {
        events.publish({ type: 'front' })
        await shell.front()
      },
      shutdown: (trigger, now) => void shutdown({ trigger }, now),
      refuseWhenClosing: () => {
        if (coordinator.closing) throw new AppError('shutting_down', 'StableNew is closing and takes no new work.')
      },
    })
    const server = new HttpServer(api)
    const shell: Shell = createShell({
      choice: command.shell,
      handshake,
      containment: core.containment,
      profileFolder: join(folders.data, 'browser-profile'),
      env: environment(),
      logger,
      url: () => `http://127.0.0.1:${server.port}/?token=${token}`,
      allowOrigin: (origin) => allowedOrigins.add(origin),
      open: (url) => host.open(url),
      notice,
      onClose: (trigger) => void shutdown({ trigger }),
    })

    coordinator.register({ phase: 'intake', name: 'pack watcher', deadlineMs: 1000, run: () => packs.stop() })
    coordinator.register({
      phase: 'jobs',
      name: 'running image',
      deadlineMs: 17_000,
      run: (reason, force) => core.processor.stop(reason, force),
    })
    coordinator.register({ phase: 'components', name: 'pages', deadlineMs: 1000, run: async () => pages.stop() })
    coordinator.register({
      phase: 'processes',
      name: 'backend',
      deadlineMs: 8000,
      run: (reason, force) => core.backend.stop(reason, force),
    })
    coordinator.register({
      phase: 'shell',
      name: 'window',
      deadlineMs: 4000,
      run: async (reason, force) => {
        events.end()
        await shell.stop(reason, force)
        await server.stop()
      },
    })
    coordinator.register({
      phase: 'verify',
      name: 'processes',
      deadlineMs: 8000,
      run: (reason, force) => core.containment.stop(reason, force),
    })

    const starting = new AbortController().signal
    for (const component of [core.containment, packs, core.backend, server]) await component.start(starting)
    const url = `http://127.0.0.1:${server.port}/?token=${token}`
    await writeInstance(folders.data, { pid: process.pid, url: `http://127.0.0.1:${server.port}`, token })
    host.ready({ url, port: server.port, token, runId })
    await shell.start(starting)
    await core.processor.start()
    logger.info({ port: server.port, shell: shell.kind, ms: Math.round(performance.now() - startedAt) }, 'StableNew is ready')
  } catch (error) {
    logger.error({ err: error }, 'the start failed')
    if (!coordinator.closing) await shutdown({ trigger: 'start-failed', detail: String(error) })
    throw error
  }
  return { shutdown, closed: ended.promise }
}
