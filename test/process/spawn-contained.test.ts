import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../src-sidecar/errors/app-error.ts'
import { Containment, type ContainmentLevel, type SpawnOptions } from '../../src-sidecar/processes/spawn-contained.ts'
import { escapeProgram } from '../helpers/escape-program.ts'
import { type Baseline, endSurvivors, liveDescendants, signalSame, stillRuns, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const chatty = fileURLToPath(new URL('../fixtures/programs/chatty.mjs', import.meta.url))
const levels: ContainmentLevel[] = ['namespace', 'shim', 'group']

describe.skipIf(process.platform !== 'linux').each(levels)('a contained process at level %s', (level) => {
  let program: ReturnType<typeof escapeProgram>
  let baseline: Baseline
  let dataDir: string
  let containment: Containment
  beforeAll(() => {
    program = escapeProgram(tempDir('escape'))
  })
  beforeEach(() => {
    baseline = takeBaseline()
    dataDir = tempDir('data')
    containment = new Containment({ dataDir, runToken: 'test', level, env: process.env, logger: pino({ level: 'silent' }) })
  })
  afterEach(async () => {
    await containment.terminateAll(AbortSignal.abort())
    await baseline.expectNothingLeft()
    await endSurvivors(baseline)
  })

  const standing = () => liveDescendants().filter(({ name }) => name === program.processName)
  const start = async (row: string, atLeast: number, options: Partial<SpawnOptions> = {}) => {
    let ready = false
    const contained = await containment.spawnContained(program.command, [...program.args, row], {
      role: 'test',
      graceMs: 300,
      ...options,
      onLine: (_stream, line) => {
        ready ||= line === 'ready'
      },
    })
    await waitFor(() => ready && standing().length >= atLeast, `row ${row} stands`)
    return contained
  }

  it('is known by its number on this machine, and so is the command', async () => {
    const contained = await start('2', 2)
    const rows = liveDescendants()
    const guard = rows.find(({ pid }) => pid === contained.identity.pid)
    const leader = rows.find(({ pid }) => pid === contained.leader?.pid)
    expect(contained.level).toBe(level)
    expect(guard?.startTime).toBe(contained.identity.startTime)
    expect(leader).toMatchObject({
      parentPid: contained.identity.pid,
      name: program.processName,
      startTime: contained.leader?.startTime,
    })
  })

  it('is ended at once by an aborted force, although it ignores SIGTERM and has 60 s of grace', async () => {
    const contained = await start('4', 2, { graceMs: 60_000 })
    const force = new AbortController()
    const ended = contained.terminate(force.signal)
    expect(await Promise.race([ended, waitFor(() => false, 'never', { ms: 200 }).catch(() => 'still there')])).toBe('still there')
    const from = performance.now()
    force.abort()
    const closed = await ended
    expect(performance.now() - from).toBeLessThan(1500)
    expect(closed).toMatchObject({ outcome: 'terminated', killed: true, signal: 'SIGKILL' })
    expect(standing()).toEqual([])
  })

  it('is asked politely first, and then gets its signals one after another', async () => {
    const asked: string[] = []
    const polite = async () => void asked.push('polite')
    const contained = await start('4', 2, { stop: { polite, signals: ['SIGINT', 'SIGTERM'] } })
    const [closed, again] = await Promise.all([contained.terminate(), contained.terminate()])
    expect(again).toBe(closed)
    expect(asked).toEqual(['polite'])
    expect(closed.steps.map(({ name }) => name)).toEqual(['polite', 'SIGINT', 'SIGTERM', 'SIGKILL'])
    expect(closed.steps[1]!.ms).toBeGreaterThanOrEqual(145)
  })

  it('is ended when its guard is killed', async () => {
    const contained = await start('2', 2)
    signalSame(contained.identity, 'SIGKILL')
    expect(await contained.closed).toMatchObject({ outcome: 'killed', killed: true })
    expect(standing()).toEqual([])
  })

  it.skipIf(level === 'group').each(['6', '7', '11b', '11d'])('of row %s is ended when its guard is killed', async (row) => {
    const contained = await start(row, 1)
    signalSame(contained.identity, 'SIGKILL')
    await contained.closed
    await baseline.expectNothingLeft()
  })

  it('is ended when its guard is stopped', async () => {
    const contained = await start('2', 2)
    signalSame(contained.identity, 'SIGSTOP')
    await contained.terminate()
    expect(standing()).toEqual([])
    expect(stillRuns(contained.identity)).toBe(false)
  })

  it('that can not be started says why, and leaves nothing', async () => {
    const failure = await containment.spawnContained('no-such-program', [], { role: 'backend' }).catch((error) => error)
    expect(failure).toBeInstanceOf(AppError)
    expect(failure).toMatchObject({ code: 'spawn_failed', data: { outcome: 'spawn_failed' } })
    expect(failure.message).toMatch(/backend could not be started: no-such-program is not there/)
    expect(containment.processes).toEqual([])
  })

  it('that ends by itself says how', async () => {
    const exited = await containment.spawnContained('sh', ['-c', 'echo out; echo err >&2; exit 3'], { role: 'tool' })
    expect(await exited.closed).toMatchObject({ outcome: 'exited', exitCode: 3, signal: null, killed: false })
    expect(exited.lastLines().sort()).toEqual(['err', 'out'])
    const crashed = await containment.spawnContained('sh', ['-c', 'kill -SEGV $$'], { role: 'tool' })
    expect(await crashed.closed).toMatchObject({ outcome: 'killed', exitCode: null, signal: 'SIGSEGV' })
  })

  it('never waits for its output to be read, and keeps the last 200 lines and a rotated log', async () => {
    const logFile = join(dataDir, 'logs', 'backend.log')
    const contained = await containment.spawnContained(process.execPath, [chatty, '150000'], { role: 'backend', logFile })
    const closed = await contained.closed
    expect(closed.outcome).toBe('exited')
    expect(closed.lastLines).toHaveLength(200)
    expect(closed.lastLines.some((line) => line.endsWith('.150000'))).toBe(true)
    const logs = readdirSync(join(dataDir, 'logs')).filter((name) => name.startsWith('backend.log'))
    expect(logs.length).toBeGreaterThan(1)
    expect(logs.length).toBeLessThanOrEqual(4)
    expect(readFileSync(logFile, 'utf8')).toContain('.150000\n')
  })

  it('has the environment it was given and nothing of the guard', async () => {
    const env = { GIVEN: 'yes', HOME: undefined }
    const contained = await containment.spawnContained('env', [], { role: 'tool', env })
    await contained.closed
    const lines = contained.lastLines()
    expect(lines).toContain('GIVEN=yes')
    expect(lines).toContain('STABLENEW_RUN_TOKEN=test')
    expect(lines.filter((line) => /^(HOME|NODE_COMPILE_CACHE|NODE_CHANNEL_FD)=/.test(line))).toEqual([])
  })

  it('is in the registry while it runs, and nothing starts after the end', async () => {
    await start('1', 1)
    const registry = () => JSON.parse(readFileSync(join(dataDir, 'process_registry.json'), 'utf8')).processes
    expect(registry()).toMatchObject([{ state: 'running', role: 'test', level, runToken: 'test' }])
    const report = await containment.terminateAll(new AbortController().signal)
    expect(report).toMatchObject({ processes: [{ role: 'test', closed: { outcome: 'terminated' } }] })
    expect(registry()).toEqual([])
    expect(existsSync(join(dataDir, 'process_registry.json'))).toBe(true)
    await expect(containment.spawnContained('true', [], { role: 'late' })).rejects.toMatchObject({ code: 'shutting_down' })
  })
})
