import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { EventStream } from './api/event-stream.ts'
import { HttpServer } from './api/http-server.ts'
import type { ServeCommand } from './cli/command-line.ts'
import type { Host } from './cli/host.ts'
import { acquireInstance } from './cli/second-start.ts'
import { composeEnd } from './compose-end.ts'
import { environment, platformFolders } from './config/environment.ts'
import { foldersFor, makeFolders } from './config/folders.ts'
import { readInstance, removeInstance, writeInstance } from './config/instance-file.ts'
import { SettingsFile } from './config/settings-file.ts'
import { appVersion } from './config/version.ts'
import { defaultPattern } from './contract/image-name.ts'
import type { LastShutdown } from './contract/last-shutdown.ts'
import { openCore } from './core.ts'
import { ResourceNotes } from './diagnostics/resource-notes.ts'
import { AppError } from './errors/app-error.ts'
import { recoveredNotice, unsavedNotice } from './jobs/interrupted-notices.ts'
import type { StopReason } from './lifecycle/component.ts'
import { withDeadline } from './lifecycle/deadline.ts'
import { openLog } from './logging/logger.ts'
import { InstanceLock } from './store/instance-lock.ts'

/** Of each component; what a crash left is ended within 10 s. */
const componentStartMs = 60_000

export interface App {
  /** Any trigger, any number of times; the first one wins. */
  shutdown(reason: StopReason, now?: boolean): Promise<LastShutdown>
  /** Settles when everything is gone. */
  readonly closed: Promise<LastShutdown>
  /** For the `exit` event: writes down an exit that went past the shutdown. */
  exitedPast(exitCode: number): void
  /** Whether a thread is left that Node's own exit would wait for: one of ours, or one in which a write hangs. */
  readonly stuck: boolean
}

/**
 * Builds and starts the whole app: lock, log, settings, core, API, shell, in that order; what was started is stopped
 * again before it throws.
 * @param handshake the shell's first line, where a shell started us.
 * @param parentPid whose end is ours; null where nobody holds us.
 * @param abort ends the start early; its reason is a StopReason.
 * @throws AppError, `already_running` among them.
 */
export async function startApp(
  command: ServeCommand,
  host: Host,
  handshake: string | null,
  parentPid: number | null,
  abort: AbortSignal,
): Promise<App> {
  const began = performance.now()
  const folders = foldersFor(platformFolders(), command.dataDir)
  makeFolders(folders)
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
    events.publish({ type: 'notices' })
  }
  let writeHangs = () => false
  const notes = command.diagnose ? new ResourceNotes(logger) : undefined
  events.listen((event) => event.type === 'job' && notes?.job(event.job))
  logger.info({ version: appVersion, runId, command, node: process.version }, 'StableNew starts')

  // It is taken away at the end of every run that reached its end.
  const cutShort = (await readInstance(folders.data)) !== null
  const parts = composeEnd({
    runId,
    logger,
    files: { logFile: join(folders.log, 'shutdown.log'), reportFile: join(folders.data, 'last-shutdown.json') },
    compileCacheDir: join(folders.cache, 'force-exit'),
    parentPid,
    diagnose: command.diagnose,
    abort,
    onPhase: (phase, at) => notes?.note(`${phase} ${at}`),
    onClosing: (closing) => {
      logger.info({ closing }, 'closing')
      events.publish({ type: 'closing', closing })
    },
  })
  const { end } = parts
  parts.starting('settings and database')
  end.finallyDo('instance lock', () => lock.release())
  end.finallyDo('log', async () => {
    logger.info('StableNew has closed')
    await log.close()
  })
  end.finallyDo('instance file', () => removeInstance(folders.data))
  const api = Promise.withResolvers<() => Promise<Hono>>()
  const started = Promise.withResolvers<void>()
  for (const { promise } of [api, started]) promise.catch(() => {})
  const server = new HttpServer(async () => (await api.promise)())
  // Stopped with the window, but where there is none yet.
  end.finallyDo(server.name, () => server.stop())
  /** Between two steps of the start: somebody may have asked for the end meanwhile. */
  const goOn = () => {
    abort.throwIfAborted()
    if (end.closing !== null) throw new Error('the start was ended early')
  }

  try {
    if (cutShort) notice('The last run of StableNew did not come to its end: it was killed, or the machine went down.')
    const settings = new SettingsFile(folders.config)
    const setAside = await settings.load(Date.now())
    if (setAside !== null) notice(setAside)
    const core = await openCore({
      folders,
      runId,
      logger,
      backends: settings.current.backends,
      publish: events.publish,
      env: environment(),
      containment: command.containment ?? settings.current.containment,
      draftArgs: command.draftArgs,
      filePattern: defaultPattern,
      manifestsFolder: join(folders.data, 'manifests'),
      serverMode: command.serverMode,
      checkDatabase: cutShort,
      notice,
      remark: (text) => end.remark(text),
      recycling: () => settings.current,
      atExit: () => command.atExit ?? (settings.current.runningImageAtExit === 'cancel' ? 'cancel' : 'finish'),
    })
    end.finallyDo('database', core.closeDatabase)
    writeHangs = () => core.storage.hangs
    parts.guardsAre(() => core.containment.processes.map(({ identity }) => identity))
    void core.processor.closed.then(({ error }) => {
      if (error !== undefined) void end.request({ trigger: 'uncaught-error', detail: `the queue ended: ${error.message}` })
    })
    for (const job of core.recovered) notice(recoveredNotice(job))
    for (const job of core.unsaved) notice(unsavedNotice(job))
    goOn()
    parts.starting(server.name)
    await withDeadline(`start: ${server.name}`, componentStartMs, server.start())
    const url = `http://127.0.0.1:${server.port}`
    await writeInstance(folders.data, { pid: process.pid, url, token })
    host.ready({ url: `${url}/?token=${token}`, port: server.port, token, runId })
    goOn()
    const lastShutdown = parts.record.readLast()
    const { composeApp } = await import('./compose-app.ts')
    const { components, shell, loadApi } = await composeApp({
      ...{ command, handshake, host, folders, logger, runId, token, events, settings, core, parts, server, notice },
      status: () => ({ closing: end.closing, notices, lastShutdown }),
      whenStarted: started.promise,
    })
    api.resolve(loadApi)
    // While the page is loaded; what that asks for is answered when all this is done.
    for (const component of components) {
      goOn()
      parts.starting(component.name)
      await withDeadline(`start: ${component.name}`, componentStartMs, component.start(abort))
    }
    const { leftovers } = core.containment
    if (leftovers?.message !== undefined) notice(leftovers.message)
    parts.ready()
    goOn()
    started.resolve()
    await shell.start(abort)
    await server.prepare()
    goOn()
    await core.processor.start()
    logger.info({ port: server.port, shell: shell.kind, ms: Math.round(performance.now() - began) }, 'StableNew is ready')
  } catch (error) {
    for (const { reject } of [api, started]) reject(new AppError('shutting_down', 'StableNew closes before it has started.'))
    if (abort.aborted) await end.request(abort.reason as StopReason)
    else if (end.closing !== null) await end.closed
    else {
      logger.error({ err: error }, 'the start failed')
      await end.request({ trigger: 'start-failed', detail: String(error) })
      throw error
    }
  }
  return {
    shutdown: (reason, now) => end.request(reason, now),
    closed: end.closed,
    exitedPast: (exitCode) => end.exitedPast(exitCode),
    get stuck() {
      return writeHangs() || parts.threads.ends.some(({ how }) => how === 'stuck')
    },
  }
}
