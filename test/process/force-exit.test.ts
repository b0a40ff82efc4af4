import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { lastShutdownSchema } from '../../src-sidecar/contract/last-shutdown.ts'
import { takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const program = fileURLToPath(new URL('../fixtures/programs/hanging.ts', import.meta.url))
const long = 60_000

interface Hanging {
  child: ChildProcess
  dataDir: string
  lines: string[]
  /** Exit code or signal, and the time since `ready`. */
  ended: Promise<{ how: number | string | null; ms: number }>
  report(): ReturnType<typeof lastShutdownSchema.parse>
}

/** Resolves when the program watches itself and is about to hang. */
async function hang(how: string, options: object, dataDir = tempDir('hanging')): Promise<Hanging> {
  const args = ['--no-warnings', program, dataDir, how, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
  let readyAt = 0
  const ended = once(child, 'close').then(([code, signal]) => ({ how: code ?? signal, ms: performance.now() - readyAt }))
  await waitFor(() => lines.includes('ready') || child.exitCode !== null, 'ready', { ms: 20_000 })
  readyAt = performance.now()
  const report = () => lastShutdownSchema.parse(JSON.parse(readFileSync(join(dataDir, 'last-shutdown.json'), 'utf8')))
  return { child, dataDir, lines, ended, report }
}

const limits = { closingLimitMs: long, silentLimitMs: 600 }
/** Starting to hang and ending take their time on a busy machine. */
const slackMs = 3000
const isWindows = process.platform === 'win32'

describe.runIf(process.platform === 'linux' || isWindows)('a forced exit', () => {
  test.for([
    ['an endless loop', 'loop'],
    ['Atomics.wait', 'wait'],
    ['a long native SQLite call', 'sqlite'],
  ])('ends a main thread that is stopped by %s', async ([, how]) => {
    const { ended, report, dataDir } = await hang(how!, limits)
    const { how: code, ms } = await ended
    expect(code).toBe(75)
    expect(ms).toBeLessThan(600 + slackMs)
    expect(report()).toMatchObject({ trigger: 'main-silent', verdict: 'forced', exitCode: 75, runId: 'run' })
    expect(report().left[0]).toMatch(/^the main thread, silent for \d+ ms$/)
    expect(readFileSync(join(dataDir, 'shutdown.log'), 'utf8')).toMatch(
      /hung: the main thread.*\n.*forced exit \(exit code 75\)\n$/,
    )
  })

  test('ends a shutdown whose step hangs, and names the step', async () => {
    const { ended, report, dataDir } = await hang('step', { closingLimitMs: 600, silentLimitMs: long })
    const { how, ms } = await ended
    expect(how).toBe(75)
    expect(ms).toBeGreaterThan(550)
    expect(ms).toBeLessThan(600 + slackMs)
    expect(report()).toMatchObject({ trigger: 'api', steps: [{ phase: 'components', name: 'history' }], left: [] })
    expect(readFileSync(join(dataDir, 'shutdown.log'), 'utf8')).toContain('hung: components: history\n')
  })

  test('ends a start that hangs, and names what it was at', async () => {
    const { ended, report } = await hang('start', { closingLimitMs: long, silentLimitMs: 100, startLimitMs: 1000 })
    expect((await ended).how).toBe(75)
    expect(report()).toMatchObject({
      trigger: 'start-failed',
      steps: [{ phase: 'start', name: 'database' }],
      remarks: [expect.stringMatching(/^the start was not done within \d+ ms$/), expect.anything()],
    })
  })

  test('leaves a start alone that takes its time', async () => {
    expect((await (await hang('slow start', { ...limits, startLimitMs: long })).ended).how).toBe(0)
  })

  test.skipIf(isWindows)('begins its count when stdin ends in the middle of a start that hangs', async () => {
    const { child, ended, report } = await hang('start', { closingLimitMs: 500, startLimitMs: long, watchStdin: true })
    child.stdin!.end()
    expect((await ended).how).toBe(75)
    expect(report()).toMatchObject({ trigger: 'stdin-eof', steps: [{ phase: 'start', name: 'database' }] })
  })

  test.skipIf(isWindows)('has the guards kill at once, without the grace that the end of their lifeline gives', async () => {
    const baseline = takeBaseline()
    const { ended, report } = await hang('guard', limits)
    expect((await ended).how).toBe(75)
    await baseline.expectNothingLeft(slackMs)
    expect(report().remarks).toContain('1 of 1 guards were told to kill their processes')
  })

  test.skipIf(isWindows)('begins its count when stdin ends, although the main thread is stopped', async () => {
    const { child, ended, report } = await hang('wait', { closingLimitMs: 500, silentLimitMs: long, watchStdin: true })
    await sleep(700)
    expect(child.exitCode).toBeNull()
    const from = performance.now()
    child.stdin!.end()
    expect((await ended).how).toBe(75)
    expect(performance.now() - from).toBeGreaterThan(450)
    expect(report().trigger).toBe('stdin-eof')
  })

  test.skipIf(isWindows)('begins its count when the parent is gone, although the main thread is stopped', async () => {
    const baseline = takeBaseline()
    const dataDir = tempDir('hanging')
    const options = JSON.stringify({ closingLimitMs: 500, silentLimitMs: long, parentPid: 0 })
    const script = `"$0" --no-warnings "$1" "$2" wait "$3"; exit`
    const parent = spawn('sh', ['-c', script, process.execPath, program, dataDir, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(parent.stdout!, 'data')
    parent.kill('SIGKILL')
    await baseline.expectNothingLeft(500 + slackMs)
    const report = lastShutdownSchema.parse(JSON.parse(readFileSync(join(dataDir, 'last-shutdown.json'), 'utf8')))
    expect(report).toMatchObject({ trigger: 'parent-gone', exitCode: 75 })
  })

  test
    .skipIf(isWindows)
    .concurrent(
      'never comes while all is well, nor for the time that the process was stopped, in a shutdown or not',
      async () => {
        const healthy = await hang('healthy', { closingLimitMs: 2000, silentLimitMs: 1500, watchStdin: true })
        const { child, ended, lines, dataDir } = healthy
        for (const line of ['', 'begin the shutdown\n']) {
          child.stdin!.write(line)
          child.kill('SIGSTOP')
          await sleep(2500)
          child.kill('SIGCONT')
          await sleep(500)
          expect(child.exitCode ?? child.signalCode).toBeNull()
        }
        child.kill('SIGSTOP')
        child.stdin!.end()
        await sleep(500)
        const from = performance.now()
        child.kill('SIGCONT')
        await waitFor(() => lines.includes('closing'), 'the end of stdin', { everyMs: 1 })
        expect(performance.now() - from).toBeLessThan(500)
        expect((await ended).how).toBe(0)
        expect(existsSync(join(dataDir, 'last-shutdown.json'))).toBe(false)
      },
    )

  test.skipIf(isWindows).concurrent('notices after a stop what it missed, with the main thread stopped as well', async () => {
    const { child, ended, report } = await hang('wait', { closingLimitMs: 1000, silentLimitMs: long, watchStdin: true })
    child.kill('SIGSTOP')
    child.stdin!.end()
    await sleep(1500)
    const from = performance.now()
    child.kill('SIGCONT')
    expect((await ended).how).toBe(75)
    expect(performance.now() - from).toBeGreaterThan(850)
    expect(performance.now() - from).toBeLessThan(1000 + slackMs)
    expect(report().trigger).toBe('stdin-eof')
  })

  test.skipIf(isWindows).concurrent('is not held up by a disk that does not answer', async () => {
    const dataDir = tempDir('hanging')
    execFileSync('mkfifo', [join(dataDir, 'shutdown.log')])
    const { ended } = await hang('loop', limits, dataDir)
    expect((await ended).how).toBe('SIGALRM')
  })

  test('does not keep a process that is done', async () => {
    expect((await (await hang('done', limits)).ended).how).toBe(0)
  })

  test.skipIf(isWindows)('is a SIGKILL where native calls are missing', async () => {
    const { ended, report, lines } = await hang('loop', { ...limits, nativeUrl: 'file:///missing.ts' })
    expect(lines[0]).toMatch(/^the watch against hanging has no native calls: /)
    expect((await ended).how).toBe('SIGKILL')
    expect(report()).toMatchObject({ verdict: 'forced', exitCode: 137 })
  })
})
