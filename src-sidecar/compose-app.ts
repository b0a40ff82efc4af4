import { mkdir } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import type { ApiParts } from './api/api-parts.ts'
import { EntryCodes } from './api/entry-codes.ts'
import type { EventStream } from './api/event-stream.ts'
import type { HttpServer } from './api/http-server.ts'
import { PageTracker } from './api/page-tracker.ts'
import type { ServeCommand } from './cli/command-line.ts'
import type { Host } from './cli/host.ts'
import { backendFinder, backendLogs, idleMemories, memoryFreer } from './compose-backends.ts'
import type { EndParts } from './compose-end.ts'
import { composeShell, type Shell } from './compose-shell.ts'
import { environment, homeFolder } from './config/environment.ts'
import type { Folders } from './config/folders.ts'
import { appFolder } from './config/program-path.ts'
import type { SettingsFile } from './config/settings-file.ts'
import { appVersion } from './config/version.ts'
import type { Leak } from './contract/diagnostics.ts'
import type { Settings } from './contract/settings.ts'
import type { Status } from './contract/status.ts'
import type { Core } from './core.ts'
import { Diagnostics } from './diagnostics/diagnostics.ts'
import { writeHeapSnapshot } from './diagnostics/write-heap-snapshot.ts'
import { AppError } from './errors/app-error.ts'
import { unsavedRemark } from './jobs/images-in-hand.ts'
import { Learning } from './learning/learning.ts'
import type { Component, StopTrigger } from './lifecycle/component.ts'
import type { Phase, ShutdownStep } from './lifecycle/shutdown-coordinator.ts'
import type { Logger } from './logging/logger.ts'
import { PackEditor } from './packs/edit/pack-editor.ts'
import { PackLibrary } from './packs/pack-library.ts'
import { KeepAwake } from './processes/keep-awake.ts'
import { SelftestProcess } from './selftest/selftest-process.ts'

export interface AppContext {
  readonly command: ServeCommand
  readonly handshake: string | null
  readonly host: Host
  readonly folders: Folders
  readonly logger: Logger
  readonly runId: string
  readonly token: string
  readonly events: EventStream
  readonly settings: SettingsFile
  readonly core: Core
  readonly parts: EndParts
  readonly server: HttpServer
  readonly status: () => Pick<Status, 'closing' | 'notices' | 'lastShutdown'>
  readonly notice: (message: string) => void
  /** Settles when all components have started, rejects when they don't. */
  readonly whenStarted: Promise<void>
}

export interface AppParts {
  /** In the order in which they start: after the server, and before the shell and the queue. */
  readonly components: readonly Component[]
  readonly shell: Shell
  /** What the server answers with. */
  readonly loadApi: () => Promise<Hono>
}

const resources = (name: string): string => join(appFolder, 'resources', name)

/** Puts packs, API and window around the core and registers how each of them ends. Starts nothing. */
export async function composeApp(context: AppContext): Promise<AppParts> {
  const { command, handshake, host, folders, logger, token, events, settings, core, parts, server, notice } = context
  const { end } = parts
  const ask = (trigger: StopTrigger, now?: boolean) => void end.request({ trigger }, now)
  await mkdir(join(folders.cache, 'thumbnails'), { recursive: true, mode: 0o700 })
  const packs = new PackLibrary(resources('packs'), folders.packs, () => events.publish({ type: 'packs' }))
  const learning = new Learning({
    store: core.learningStore,
    queue: core.queue,
    packs,
    exportFolder: join(folders.data, 'exports'),
  })
  const pages = new PageTracker(() => ask('last-page-closed'))
  const allowedOrigins = new Set<string>()
  const entryCodes = new EntryCodes()
  const opened = { packs: folders.packs, images: folders.images, log: folders.log }

  const keepAwake = new KeepAwake({ containment: core.containment, env: environment(), logger })
  const diagnostics = new Diagnostics({
    keptAwake: () => keepAwake.facts,
    containment: core.containment,
    threads: parts.threads,
    env: environment(),
    logger,
    nameOf: (id) =>
      id === '' ? 'StableNew' : (core.backends.all.find(({ process }) => process?.spawnId === id)?.status.name ?? 'A backend'),
    onLeak: (leak) => {
      notice(leakNotice(leak))
      events.publish({ type: 'leak', leak })
    },
  })

  const saveSettings = async (wanted: Settings) => {
    const changed = JSON.stringify(wanted.backends) !== JSON.stringify(settings.current.backends)
    await settings.save(wanted)
    memories.changed()
    if (changed) await core.changeBackends(wanted.backends)
  }
  const status = async (): Promise<Status> => ({
    version: appVersion,
    runId: context.runId,
    shell: shell.kind,
    system: { node: process.version, platform: `${process.platform} ${process.arch} ${release()}` },
    dataFolder: folders.data,
    packsFolder: folders.packs,
    imagesFolder: folders.images,
    logFile: join(folders.log, 'stablenew.log'),
    backends: [...core.backends.statuses],
    containment: await core.containment.facts(),
    storage: core.storage.trouble,
    ...context.status(),
  })
  const apiParts: ApiParts = {
    auth: { token, entryCodes, port: () => server.port, allowedOrigins },
    logger,
    whenStarted: context.whenStarted,
    uiFolder: resources('ui'),
    packs,
    packEditor: new PackEditor(packs, join(folders.data, 'drafts'), () => core.backends.models.loras),
    queue: core.queue,
    queueEdits: core.queueEdits,
    storage: core.storage,
    history: core.history,
    learning,
    savedSearches: core.savedSearches,
    importer: core.importer,
    exporter: core.exporter,
    missingFiles: core.missingFiles,
    thumbnails: core.thumbnails,
    pictures: core.pictures,
    events,
    pages,
    settings,
    saveSettings,
    status,
    selftest: new SelftestProcess({
      containment: core.containment,
      program: process.argv[1] ?? '',
      reportFile: join(folders.log, 'selftest-report.json'),
    }),
    models: () => core.backends.models,
    diagnostics: (sinceMs) => diagnostics.view(sinceMs),
    backendLog: backendLogs(folders.log),
    findBackends: backendFinder(homeFolder(), environment(), () => settings.current.backends),
    freeMemory: memoryFreer(core.backends),
    heapSnapshot: () => writeHeapSnapshot(folders.log, Date.now()),
    preview: (jobId) => core.processor.preview(jobId)?.bytes ?? null,
    open: (what) => host.open(opened[what]),
    front: async () => {
      events.publish({ type: 'front' })
      await shell.front()
    },
    shutdown: (reason, now) => void end.request(reason, now),
    refuseWhenClosing: () => {
      if (end.closing !== null) throw new AppError('shutting_down', 'StableNew is closing and takes no new work.')
    },
  }
  const loadApi = async () => (await import('./api/api.ts')).createApi(apiParts)
  const shell = composeShell({
    choice: command.shell,
    handshake,
    containment: core.containment,
    profileFolder: join(folders.data, 'browser-profile'),
    env: environment(),
    logger,
    url: () => `http://127.0.0.1:${server.port}/?code=${entryCodes.issue()}`,
    allowOrigin: (origin) => allowedOrigins.add(origin),
    open: (url) => host.open(url),
    notice,
    onClose: (trigger) => ask(trigger),
    onPage: () => {
      const { port } = server
      host.ready({ url: `http://127.0.0.1:${port}/?token=${token}`, port, token, runId: context.runId })
    },
    isPaused: () => {
      try {
        return core.queue.view(0, 0).paused
      } catch (error) {
        void core.storage.report(error)
        return true
      }
    },
    setPaused: (paused) => {
      if (end.closing !== null) return
      const done = paused ? core.queue.pause('finish') : core.queue.resume()
      done.catch((error) => logger.error({ err: error }, `the queue could not be ${paused ? 'paused' : 'resumed'}`))
    },
  })

  const running = new Set<number>()
  events.listen((event) => {
    if (event.type !== 'job') return
    if (event.job.state === 'running') running.add(event.job.id)
    else running.delete(event.job.id)
    keepAwake.busy(running.size > 0)
  })
  const memories = idleMemories({
    pool: core.backends,
    processor: core.processor,
    afterMs: () => settings.current.freeMemoryAfterMin && settings.current.freeMemoryAfterMin * 60_000,
    logger,
  })
  events.listen((event) => memories.hear(event))
  // The tray's menu has a word for what the queue does.
  events.listen((event) => {
    if (event.type === 'recycled') diagnostics.noteRecycled(event.recycled)
  })
  events.listen(({ type }) => {
    if (type === 'queue' && shell.kind === 'neutralino') void shell.updateTray()
  })

  const atEnd = (phase: Phase, name: string, deadlineMs: number, run: ShutdownStep['run']) =>
    end.coordinator.register({ phase, name, deadlineMs, run })
  atEnd('intake', 'word to the window', 1000, async (reason) => {
    // Not waited for: a window that hangs holds nothing up.
    if (shell.kind === 'neutralino') void shell.announceEnd(reason)
  })
  atEnd('intake', 'storage', 1000, async () => core.storage.close())
  atEnd('intake', 'pack watcher', 5000, () => packs.stop())
  atEnd('jobs', 'running image', 17_000, async (reason, force) => {
    await core.processor.stop(reason, force)
    for (const one of core.inHand.all) end.remark(unsavedRemark(one))
    if (core.storage.hangs) end.remark('a write to a disk that does not answer was not waited for')
  })
  atEnd('components', 'storage', 6000, () => core.storage.stop())
  atEnd('components', 'free space', 1000, () => core.lowSpace.stop())
  atEnd('components', 'pages', 1000, async () => pages.stop())
  atEnd('components', 'idle memory', 5000, () => memories.stop())
  atEnd('components', 'keep awake', 5000, () => keepAwake.stop())
  atEnd('components', 'image import', 4000, () => core.importer.stop())
  atEnd('components', 'image export', 4000, () => core.exporter.stop())
  atEnd('components', 'unused pictures', 2000, () => core.unusedPictures.stop())
  atEnd('components', 'missing files', 4000, () => core.missingFiles.stop())
  atEnd('components', 'learning', 5000, () => learning.stop())
  atEnd('components', 'daily backup', 4000, () => core.dailyBackup.stop())
  atEnd('components', 'search index', 2000, () => core.indexCatchUp.stop())
  atEnd('components', 'diagnostics', 5000, (reason, force) => diagnostics.stop(reason, force))
  atEnd('processes', 'backend', 8000, (reason, force) => core.backends.stop(reason, force))
  atEnd('shell', 'window', 4000, async (reason, force) => {
    events.end()
    await shell.stop(reason, force)
    await server.stop()
  })
  // Closed after the sequence, when nobody can need them any more.
  const last = ['stablenew.db', 'stablenew.db-wal', 'stablenew.db-shm', 'instance.lock'].map((name) => join(folders.data, name))
  last.push(join(folders.log, 'stablenew.log'))
  atEnd('verify', 'processes', 9000, async (reason, force) => {
    await core.containment.stop(reason, force)
    const released = core.containment.releasedPids
    await parts.audit(
      ({ kind, name, pid = 0 }) => (kind === 'file' && last.includes(name)) || (kind === 'child' && released.includes(pid)),
    )
  })
  const { containment, backends, indexCatchUp, dailyBackup, importer, missingFiles, unusedPictures, lowSpace } = core
  const own = [containment, backends, indexCatchUp, dailyBackup, importer, missingFiles, unusedPictures, lowSpace]
  const components = [packs, diagnostics, ...own, learning]
  return { components, shell, loadApi }
}

const leakNotice = ({ name, kbPerS, lowKbPerS, highKbPerS, windowMs, rssBytes }: Leak): string =>
  `The memory of ${name} grows by ${kbPerS} KB a second (${lowKbPerS} to ${highKbPerS}, over ${windowMs / 1000} s) and does not ` +
  `stop: it is at ${Math.round(rssBytes / 2 ** 20)} MB. Diagnostics shows the curve.`
