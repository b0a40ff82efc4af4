import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { KeepAwake } from '../../../src-sidecar/processes/keep-awake.ts'
import { Containment } from '../../../src-sidecar/processes/spawn-contained.ts'
import { commandLine, liveDescendants, takeBaseline } from '../../helpers/survivors.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'

const logger = pino({ level: 'silent' })

describe.skipIf(process.platform !== 'linux')('the machine is kept awake', () => {
  const baseline = takeBaseline()
  let containment: Containment
  let awake: KeepAwake
  afterEach(async () => {
    await awake.stop()
    await containment.terminateAll(new AbortController().signal)
    await baseline.expectNothingLeft()
  })

  /** @param script of a systemd-inhibit on PATH, which notes its starts; null: there is none */
  function keeper(script: string | null, times = { settleMs: 0, lingerMs: 50 }) {
    const folder = tempDir('awake')
    const program = join(folder, 'systemd-inhibit')
    const starts = join(folder, 'starts')
    if (script !== null) {
      writeFileSync(program, `#!/bin/sh\necho "$*" >> ${starts}\n${script}\n`)
      chmodSync(program, 0o755)
    }
    const path = script === null ? folder : `${folder}:${process.env.PATH}`
    const env = { ...process.env, PATH: path }
    containment = new Containment({ dataDir: folder, runToken: 'awake', level: 'auto', env: process.env, logger })
    awake = new KeepAwake({ containment, env, logger, ...times })
    return {
      running: () => liveDescendants().filter(({ pid }) => commandLine(pid).includes(program)).length,
      starts: () => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n') : []),
    }
  }
  const holds = 'sleep 1000'

  test('while jobs run, by one process however many they are, and until a while after the last', async () => {
    const { running, starts } = keeper(holds, { settleMs: 0, lingerMs: 300 })
    awake.busy(true)
    await waitFor(() => running() > 0, 'the program')
    for (let job = 0; job < 5; job++) {
      awake.busy(false)
      awake.busy(true)
    }
    awake.busy(false)
    expect(running()).toBeGreaterThan(0)
    expect(awake.facts).toEqual({ state: 'on', why: null })
    await waitFor(() => running() === 0, 'its end')
    await waitFor(() => awake.facts.state === 'off', 'the word of it')
    expect(starts()).toEqual(['--what=idle:sleep --mode=block --who=StableNew --why=Images are being made sleep infinity'])
    awake.busy(true)
    // Its guard names it before it has written anything.
    await waitFor(() => starts().length === 2, 'the program again')
  })

  test('not for a moment of work, which starts no process', async () => {
    const { starts } = keeper(holds, { settleMs: 200, lingerMs: 10 })
    awake.busy(true)
    awake.busy(false)
    await waitFor(() => false, 'time to pass', { ms: 400 }).catch(() => {})
    expect([starts(), containment.processes]).toEqual([[], []])
  })

  test('until the app closes, which waits for nothing although the program ignores its end', async () => {
    const { running } = keeper(`trap '' TERM INT HUP; while :; do sleep 1; done`)
    awake.busy(true)
    await waitFor(() => running() > 0, 'the program')
    const from = performance.now()
    await awake.stop()
    expect(performance.now() - from).toBeLessThan(1000)
    expect(running()).toBe(0)
    awake.busy(true)
    expect(containment.processes).toHaveLength(0)
  })

  test('unless the system refuses: then it is tried once, and that is said', async () => {
    const { starts } = keeper('echo "Failed to inhibit: no bus" >&2; exit 1')
    awake.busy(true)
    await waitFor(() => awake.facts.state === 'unavailable', 'the refusal')
    expect(awake.facts.why).toBe('systemd-inhibit: Failed to inhibit: no bus')
    awake.busy(false)
    awake.busy(true)
    await waitFor(() => false, 'time to pass', { ms: 200 }).catch(() => {})
    expect(starts()).toHaveLength(1)
  })

  test('unless there is no systemd-inhibit, which is said too', async () => {
    keeper(null)
    awake.busy(true)
    await waitFor(() => awake.facts.state === 'unavailable', 'the word of it')
    expect(awake.facts.why).toBe('systemd-inhibit is not installed')
  })
})
