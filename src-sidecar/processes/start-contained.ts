import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AdoptOptions, SpawnOptions } from './contained-process.ts'
import { definedOnly } from './defined-only.ts'
import { connectGuard, spawnGuard } from './guard-link.ts'
import { GuardedProcess, type SpawnContext } from './guarded-process.ts'
import { LogTail } from './log-tail.ts'
import { OutputLines } from './output-lines.ts'
import { OutputLog } from './output-log.ts'
import type { RegistryEntry } from './process-registry.ts'
import { RUN_TOKEN, SPAWN_ID } from './run-token.ts'

/** The kernel takes no longer paths for a socket (sun_path is 108 bytes, 104 on macOS). */
const MAX_SOCKET_PATH = 103

/** What goes into the registry before anything is started. */
export function intentOf(context: SpawnContext, spawnId: string, command: string, options: SpawnOptions): RegistryEntry {
  const { platform, runToken } = context
  const { role, logFile, note, graceMs = 5000 } = options
  const level = options.level === 'shim' && platform.facts.level === 'namespace' ? 'shim' : platform.facts.level
  const persistent = options.persistent && logFile && process.platform !== 'win32'
  const socket = persistent ? socketPath(context) : undefined
  return {
    id: spawnId,
    state: 'intent',
    role,
    command,
    level,
    runToken,
    startedAt: new Date().toISOString(),
    graceMs,
    logFile,
    note,
    socket,
  }
}

/** Starts a guard and through it the command; `started` of the result tells whether it runs. */
export function startContained(
  context: SpawnContext,
  entry: RegistryEntry,
  args: readonly string[],
  options: SpawnOptions,
): GuardedProcess {
  const { platform, runToken } = context
  const { id: spawnId, command, level, logFile, socket, graceMs = 5000 } = entry
  const persistent = socket && logFile ? { socket, logFile } : undefined

  if (logFile) mkdirSync(dirname(logFile), { recursive: true })
  const log = logFile && !persistent ? new OutputLog(logFile, context.logger) : undefined
  const output = new OutputLines((stream, line) => {
    log?.write(line)
    options.onLine?.(stream, line)
  })
  const readers = { stdout: output.reader('stdout'), stderr: output.reader('stderr') }
  const tail = persistent && new LogTail(persistent.logFile, 0, readers.stdout.write)
  const marks = { [RUN_TOKEN]: runToken, [SPAWN_ID]: spawnId }
  const guard = platform.guard(level)
  const link = spawnGuard({
    ...guard,
    env: { ...guard.env, ...marks },
    readOutput: !persistent,
    onOutput: (stream, chunk) => readers[stream].write(chunk),
  })
  const closeOutput = async () => {
    tail?.close()
    for (const reader of Object.values(readers)) reader.end()
    await log?.close()
  }
  const contained = new GuardedProcess(context, { entry, link, output, closeOutput, graceMs, polite: options.stop?.polite })
  link.send({
    type: 'start',
    command,
    args: [...args],
    cwd: options.cwd ?? '/',
    env: definedOnly({ ...context.env, ...options.env, ...marks }),
    signals: options.stop?.signals ?? ['SIGTERM'],
    graceMs,
    setpriv: platform.setpriv,
    persistent,
  })
  return contained
}

/**
 * Takes over a process that an earlier sidecar released.
 * @throws what connecting throws, when its guard does not listen (any more)
 */
export async function adoptContained(
  context: SpawnContext,
  entry: RegistryEntry,
  options: AdoptOptions,
): Promise<GuardedProcess> {
  const link = await connectGuard(entry.socket ?? '')
  const output = new OutputLines((stream, line) => options.onLine?.(stream, line))
  const reader = output.reader('stdout')
  const tail = entry.logFile ? new LogTail(entry.logFile, 64 * 1024, reader.write) : undefined
  const closeOutput = async () => {
    tail?.close()
    reader.end()
  }
  return new GuardedProcess(context, {
    entry,
    link,
    output,
    closeOutput,
    graceMs: entry.graceMs ?? 5000,
    polite: options.stop?.polite,
  })
}

/** Undefined where the data folder's path is too long; the process then ends with the sidecar like any other. */
function socketPath({ dataDir, logger }: SpawnContext): string | undefined {
  const folder = join(dataDir, 'run')
  const path = join(folder, `${randomBytes(4).toString('hex')}.sock`)
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    logger.warn({ path }, 'the path of the data folder is too long for a process that outlives the sidecar')
    return undefined
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return path
}
