import { setTimeout as delay } from 'node:timers/promises'
import { parseArguments, type Settings } from './arguments.ts'
import { startLeak } from './leak.ts'
import { leaveDaemon, runBehindShell } from './misbehaviour.ts'
import { listen } from './server.ts'
import { startWorkers } from './workers.ts'

const workersGraceMs = 1000

const parsed = parseArguments(process.argv.slice(2))
if (parsed.kind === 'bad') {
  process.stderr.write(`${parsed.message}\n`)
  process.exitCode = 2
} else if (parsed.kind === 'help') {
  process.stdout.write(parsed.text)
} else if (parsed.settings.behindShell) {
  process.exitCode = await runBehindShell(process.argv.slice(2).filter((arg) => arg !== '--behind-shell'))
} else {
  // Who started the engine may be gone before it: that must not end it by EPIPE.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  await run(parsed.settings)
}

async function run(settings: Settings): Promise<void> {
  const starting = startWorkers(settings.workers, settings.ignoreTerm)
  let ending = false
  const end = async (exitCode: number) => {
    if (ending) return
    ending = true
    // Also when the end comes before they are up: whoever is told to end must not be left half started.
    const workers = await starting.catch(() => null)
    await workers?.end(workersGraceMs)
    process.exit(exitCode)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!settings.ignoreTerm) void end(0)
    })
  }
  if (settings.watchStdin) {
    process.stdin.on('error', () => void end(0))
    process.stdin.on('end', () => void end(0)).resume()
  }
  try {
    if (settings.daemon) await leaveDaemon()
    const [{ pids }] = await Promise.all([starting, delay(settings.startupMs)])
    const port = await listen(settings)
    const line = { event: 'listening', port, pid: process.pid, ...(pids.length > 0 && { workers: pids }) }
    process.stdout.write(`${JSON.stringify(line)}\n`)
    startLeak(settings.leakKbPerS)
  } catch (error) {
    process.stderr.write(`draft engine: ${error instanceof Error ? error.message : error}\n`)
    await end(1)
  }
}
