import { type App, startApp } from './app.ts'
import { type CyclesCommand, parseCommandLine, type RunCommand, type ServeCommand } from './cli/command-line.ts'
import { createHost } from './cli/host.ts'
import { bringToFront } from './cli/second-start.ts'
import type { PackRun } from './compose-run.ts'
import { platformFolders } from './config/environment.ts'
import { foldersFor } from './config/folders.ts'
import type { Instance } from './config/instance-file.ts'
import { AppError, asError } from './errors/app-error.ts'
import type { StopReason } from './lifecycle/component.ts'
import { ParentWatch } from './lifecycle/parent-watch.ts'
import { StdinWatch } from './lifecycle/stdin-watch.ts'

/** Exit codes; others are 128 plus a signal's number. */
const exitCodes = { clean: 0, failed: 1, usage: 2, alreadyRunning: 3, uncaught: 70, forced: 75 }
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGBREAK: 21 } as const
type EndSignal = keyof typeof signalNumbers
/** The last resort, for when even the watchdog's 30 s have passed, or it is not there yet. */
const forcedExitMs = 35_000
/** Read before anything else: later it may be another one. */
const parentPid = process.ppid

const out = (text: string) => void process.stdout.write(text)
const error = (text: string) => void process.stderr.write(text)
const terminal = {
  out,
  isTerminal: process.stdout.isTTY === true,
  columns: () => process.stdout.columns ?? 80,
  rows: () => process.stdout.rows ?? 24,
}
// A reader that is gone is no reason to fail.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

/** Every trigger that comes from the process itself leads to `end`, also while things are still being started. */
function watchProcess(armed: boolean, end: (reason: StopReason, now: boolean) => void, onLine: (line: string) => void): void {
  const request = (reason: StopReason, now = false) => {
    setTimeout(() => process.exit(exitCodes.forced), forcedExitMs).unref()
    end(reason, now)
  }
  const signals: EndSignal[] =
    process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => request({ trigger: signal }))
  const uncaught = (thrown: unknown) => {
    error(`${asError(thrown).stack}\n`)
    process.exitCode = exitCodes.uncaught
    request({ trigger: 'uncaught-error', detail: asError(thrown).message })
  }
  process.on('uncaughtException', uncaught)
  process.on('unhandledRejection', uncaught)
  if (!armed) return
  new StdinWatch(process.stdin).start(() => request({ trigger: 'stdin-eof' }), onLine)
  new ParentWatch(() => process.ppid).start(() => request({ trigger: 'parent-gone' }))
}

async function serve(command: ServeCommand): Promise<number> {
  const host = createHost(command.hostLines, out)
  let app: App | undefined
  let early: [StopReason, boolean] | undefined
  const abort = new AbortController()
  const handshake = Promise.withResolvers<string | null>()
  const armed = command.watchStdin || command.shell === 'neutralino'
  watchProcess(
    armed,
    (reason, now) => {
      early ??= [reason, now]
      handshake.resolve(null)
      abort.abort(reason)
      void app?.shutdown(reason, now)
    },
    handshake.resolve,
  )
  try {
    const line = command.shell === 'neutralino' ? await handshake.promise : null
    if (abort.signal.aborted) return exitCodes.clean
    app = await startApp(command, host, line, armed ? parentPid : null, abort.signal)
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.clean
    if (!(thrown instanceof AppError) || thrown.code !== 'already_running') throw thrown
    const instance = thrown.data.instance as Instance | undefined
    const inFront = command.shell !== 'none' && instance !== undefined && (await bringToFront(instance))
    host.notice(inFront ? `${thrown.message} Its window comes to the front.` : thrown.message)
    return inFront ? exitCodes.clean : exitCodes.alreadyRunning
  }
  if (early !== undefined) void app.shutdown(...early)
  const running = app
  process.once('exit', (exitCode) => running.exitedPast(exitCode))
  const { exitCode, left } = await app.closed
  // Node's own exit would wait for a thread that hangs in a native call.
  if (app.stuck || left.some((one) => one.startsWith('thread '))) (await import('./processes/native-exit.ts')).exitNow(exitCode)
  return exitCode
}

/** 128 plus its number, where a signal was what aborted. */
function signalCode({ reason }: AbortSignal): number | undefined {
  const trigger = (reason as StopReason | undefined)?.trigger as EndSignal | undefined
  return trigger !== undefined && trigger in signalNumbers ? 128 + signalNumbers[trigger] : undefined
}

async function run(command: RunCommand): Promise<number> {
  if (command.dryRun) {
    const { planRun, printPlan } = await import('./cli/plan-run.ts')
    const write = (text: string) => new Promise<boolean>((resolve) => process.stdout.write(text, (gone) => resolve(!gone)))
    await printPlan(await planRun(command, foldersFor(platformFolders(), command.dataDir).packs), command.json, write)
    return exitCodes.clean
  }
  const { RunReport } = await import('./cli/run-report.ts')
  const { runPack } = await import('./compose-run.ts')
  const report = new RunReport({ ...terminal, error, json: command.json })
  const abort = new AbortController()
  let pack: PackRun | undefined
  watchProcess(
    command.watchStdin,
    (reason) => {
      if (abort.signal.aborted) pack?.again(reason)
      else abort.abort(reason)
    },
    () => {},
  )
  pack = await runPack(command, report, command.watchStdin ? parentPid : null, abort.signal)
  const running = pack
  process.once('exit', (exitCode) => running.exitedPast(exitCode))
  const ended = await pack.exitCode
  const exitCode = signalCode(abort.signal) ?? ended
  if (running.stuck) (await import('./processes/native-exit.ts')).exitNow(exitCode)
  return exitCode
}

/** Whatever it started ends with `abort`, and is waited for. */
async function untilAborted(work: (abort: AbortSignal) => Promise<number>, armed: boolean): Promise<number> {
  const abort = new AbortController()
  watchProcess(
    armed,
    (reason) => abort.abort(reason),
    () => {},
  )
  const exitCode = await work(abort.signal)
  return signalCode(abort.signal) ?? exitCode
}

async function cycles({ cycles: times, serve: command }: CyclesCommand): Promise<number> {
  const { runCycles } = await import('./cycles.ts')
  return await untilAborted((abort) => runCycles(command, times, out, abort), command.watchStdin)
}

async function main(): Promise<number> {
  const command = parseCommandLine(process.argv.slice(2), { out, error })
  if (command.kind === 'said') return command.exitCode
  if (command.kind === 'run') return await run(command)
  if (command.kind === 'cycles') return await cycles(command)
  if (command.kind === 'selftest') {
    const { selftest } = await import('./compose-selftest.ts')
    const work = (abort: AbortSignal) => selftest(command, process.argv[1] ?? '', terminal, abort)
    return await untilAborted(work, false).catch((thrown: unknown) => {
      error(`${asError(thrown).message}\n`)
      return exitCodes.usage
    })
  }
  return await serve(command)
}

const usageCodes: readonly string[] = ['pack_not_found', 'pack_broken', 'bad_request', 'too_large']
const code = await main().catch((thrown: unknown) => {
  const known = thrown instanceof AppError
  error(`${known ? thrown.message : asError(thrown).stack}\n`)
  return known && usageCodes.includes(thrown.code) ? exitCodes.usage : exitCodes.failed
})
process.exit(process.exitCode === undefined ? code : Number(process.exitCode))
