import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectGuard } from '../../src-sidecar/processes/guard-link.ts'
import { escapeProgram } from '../helpers/escape-program.ts'
import { supervise } from '../helpers/supervised.ts'
import { type Baseline, endSurvivors, liveDescendants, signalSame, stillRuns, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

describe.skipIf(process.platform !== 'linux').each(['namespace', 'shim', 'group'])('server mode at level %s', (level) => {
  let program: ReturnType<typeof escapeProgram>
  let baseline: Baseline
  let dataDir: string
  beforeAll(() => {
    program = escapeProgram(tempDir('escape'))
  })
  beforeEach(() => {
    baseline = takeBaseline()
    dataDir = tempDir('data')
  })
  afterEach(() => endSurvivors(baseline))

  const standing = () => liveDescendants().filter(({ name }) => name === program.processName)
  const registry = () => JSON.parse(readFileSync(join(dataDir, 'process_registry.json'), 'utf8')).processes
  /** A first sidecar starts a persistent process and closes cleanly. */
  const release = async (row = '2') => {
    const first = supervise([program.command, ...program.args, row], { dataDir, level, persistent: true })
    const { guard } = await first.event('started')
    await first.line('ready')
    const before = standing()
    expect(await first.finish()).toBe(0)
    expect(before.filter(stillRuns)).toHaveLength(before.length)
    expect(registry()).toMatchObject([{ state: 'released', role: 'test', guard }])
    return { guard: guard!, before }
  }

  it('a released process goes on, is adopted, and ends with an ordinary close', async () => {
    const { before } = await release('4')
    const next = supervise([], { dataDir, level, adopt: true, token: 'second' })
    await next.line('ready')
    expect(before.filter(stillRuns)).toHaveLength(before.length)
    next.tell('terminate')
    const { closed } = await next.event('closed')
    expect(closed).toMatchObject({ outcome: 'terminated', killed: true })
    expect(standing()).toEqual([])
    expect(registry()).toEqual([])
    expect(await next.finish()).toBe(0)
    await baseline.expectNothingLeft()
  })

  it('an adopted process goes down with its new sidecar when that is killed', async () => {
    await release()
    const next = supervise([], { dataDir, level, adopt: true, token: 'second' })
    await next.event('started')
    await next.kill()
    await baseline.expectNothingLeft()
  })

  it('a process that was adopted already is not taken over again, and goes on', async () => {
    const { guard } = await release()
    const text = readFileSync(join(dataDir, 'process_registry.json'), 'utf8')
    const { socket } = JSON.parse(text).processes[0]
    const next = supervise([], { dataDir, level, adopt: true, token: 'second' })
    await next.event('started')
    await expect(connectGuard(socket)).rejects.toThrow('it belongs to another sidecar')
    expect(stillRuns(guard)).toBe(true)
    expect(await next.finish()).toBe(0)
    await baseline.expectNothingLeft()
  })

  it('a sidecar that is killed releases nothing', async () => {
    const first = supervise([program.command, ...program.args, '2'], { dataDir, level, persistent: true })
    await first.event('started')
    await first.line('ready')
    await first.kill()
    await baseline.expectNothingLeft()
  })

  it('a released process that has ended meanwhile is not offered', async () => {
    const { guard } = await release()
    signalSame(guard, 'SIGTERM')
    await baseline.expectNothingLeft()
    const next = supervise([], { dataDir, level, adopt: true, token: 'second' })
    await next.event('nothing-to-adopt')
    expect(await next.finish()).toBe(0)
    expect(registry()).toEqual([])
  })

  it('an adopted process whose guard is killed is ended too', async () => {
    const { guard } = await release()
    const next = supervise([], { dataDir, level, adopt: true, token: 'second' })
    await next.event('started')
    signalSame(guard, 'SIGKILL')
    expect((await next.event('closed')).closed).toMatchObject({ outcome: 'killed' })
    await waitFor(() => standing().length === 0, 'nothing stands')
    expect(await next.finish()).toBe(0)
    await baseline.expectNothingLeft()
  })
})
