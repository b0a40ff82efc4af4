import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { escapeProgram } from '../helpers/escape-program.ts'
import { supervise } from '../helpers/supervised.ts'
import { type Baseline, endSurvivors, liveDescendants, signalSame, stillRuns, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

describe.skipIf(process.platform !== 'linux')('after a crash', () => {
  let program: ReturnType<typeof escapeProgram>
  let baseline: Baseline
  beforeAll(() => {
    program = escapeProgram(tempDir('escape'))
  })
  beforeEach(() => {
    baseline = takeBaseline()
  })
  afterEach(() => endSurvivors(baseline))

  const standing = () => liveDescendants().filter(({ name }) => name === program.processName)
  const command = (row: string) => [program.command, ...program.args, row]

  /** Sidecar and guard die at the same moment, so that neither can clean up. */
  const killBoth = async (row: string, level: string, dataDir: string) => {
    const supervised = supervise(command(row), { dataDir, level })
    const { guard } = await supervised.event('started')
    await supervised.line('ready')
    supervised.child.kill('SIGSTOP')
    signalSame(guard!, 'SIGKILL')
    await waitFor(() => !stillRuns(guard!), 'the guard is gone')
    await supervised.kill()
  }

  const startAgain = async (dataDir: string, level = 'auto') => {
    const supervised = supervise(['true'], { dataDir, level, token: 'second-run' })
    await supervised.event('closed')
    await supervised.finish()
    return supervised.events.find(({ event }) => event === 'leftovers')
  }

  for (const row of ['2', '6', '7', '11d']) {
    it(`a PID namespace leaves nothing of row ${row} when sidecar and guard are killed together`, async () => {
      await killBoth(row, 'namespace', tempDir('data'))
      await baseline.expectNothingLeft()
    })
  }

  for (const level of ['group', 'shim']) {
    for (const row of level === 'group' ? ['4', '5', '6', '8', '10'] : ['4', '6']) {
      it(`the next start ends what row ${row} left at level ${level}, and a decoy with the same command line survives`, async () => {
        const dataDir = tempDir('data')
        const decoy = spawn(program.command, [...program.args, row], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
        await new Promise((resolve) => decoy.stdout!.once('data', resolve))
        const known = new Set(standing().map(({ pid }) => pid))
        const decoys = standing()
        const left = () => standing().filter(({ pid }) => !known.has(pid))
        await killBoth(row, level, dataDir)
        await waitFor(() => left().length > 0, 'something was left')
        const from = performance.now()
        const leftovers = await startAgain(dataDir)
        expect(performance.now() - from).toBeLessThan(10_000)
        expect(left()).toEqual([])
        expect(leftovers?.message).toMatch(/^\d+ process(es)? of the last run (was|were) still there and ha(s|ve) been ended$/)
        expect(leftovers?.survivors).toEqual([])
        expect(decoys.filter(stillRuns)).toHaveLength(decoys.length)
        expect(await startAgain(dataDir)).toBeUndefined()
      })
    }
  }

  const editRegistry = (
    dataDir: string,
    change: (registry: { processes: { guard: object; leader: object; id: string }[] }) => void,
  ) => {
    const file = join(dataDir, 'process_registry.json')
    const registry = JSON.parse(readFileSync(file, 'utf8'))
    change(registry)
    writeFileSync(file, JSON.stringify(registry))
  }

  it('a process that got the number of a recorded one is left alone', async () => {
    const dataDir = tempDir('data')
    await killBoth('1', 'namespace', dataDir)
    await baseline.expectNothingLeft()
    const stranger = spawn('sleep', ['1000'])
    const seen = (await waitFor(() => liveDescendants().find(({ pid }) => pid === stranger.pid), 'the stranger runs'))!
    editRegistry(dataDir, (registry) => {
      for (const entry of registry.processes) {
        entry.guard = { ...entry.guard, pid: seen.pid }
        entry.leader = { ...entry.leader, pid: seen.pid }
      }
    })
    expect(await startAgain(dataDir)).toBeUndefined()
    expect(stillRuns(seen)).toBe(true)
  })

  it('numbers recorded before a restart of the machine mean nothing', async () => {
    const dataDir = tempDir('data')
    await killBoth('1', 'namespace', dataDir)
    const stranger = spawn('sleep', ['1000'])
    const seen = (await waitFor(() => liveDescendants().find(({ pid }) => pid === stranger.pid), 'the stranger runs'))!
    editRegistry(dataDir, (registry) => {
      for (const entry of registry.processes) {
        const identity = { pid: seen.pid, startTime: seen.startTime, bootId: 'an earlier one' }
        entry.guard = identity
        entry.leader = identity
      }
    })
    expect(await startAgain(dataDir)).toBeUndefined()
    expect(stillRuns(seen)).toBe(true)
  })

  it('what was started but not yet recorded is known by its mark', async () => {
    const dataDir = tempDir('data')
    await killBoth('6', 'group', dataDir)
    editRegistry(dataDir, (registry) => {
      for (const entry of registry.processes) Object.assign(entry, { state: 'intent', guard: undefined, leader: undefined })
    })
    expect((await startAgain(dataDir))?.survivors).toEqual([])
    expect(standing()).toEqual([])
  })

  for (const [what, text] of [
    ['truncated', '{"app":"StableNew","version":1,"proc'],
    ['foreign', '{"hello":"world"}'],
    ['empty', ''],
  ] as const) {
    it(`a ${what} registry is set aside and is not fatal`, async () => {
      const dataDir = tempDir('data')
      writeFileSync(join(dataDir, 'process_registry.json'), text)
      expect(await startAgain(dataDir)).toBeUndefined()
      const aside = readdirSync(dataDir).filter((name) => name.startsWith('process_registry.broken-'))
      expect(aside).toHaveLength(1)
      expect(readFileSync(join(dataDir, aside[0]!), 'utf8')).toBe(text)
    })
  }

  it('a second sidecar on the same data folder touches nothing of the first', async () => {
    const dataDir = tempDir('data')
    const first = supervise(command('2'), { dataDir, level: 'shim' })
    await first.event('started')
    await first.line('ready')
    const second = supervise(['true'], { dataDir, level: 'shim', quiet: true })
    expect(await second.finish()).not.toBe(0)
    expect(standing()).toHaveLength(2)
    expect(await first.finish()).toBe(0)
    await baseline.expectNothingLeft()
  })
})
