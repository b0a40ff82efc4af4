import { chmodSync, chownSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { escapeProgram } from '../helpers/escape-program.ts'
import { escapeRows } from '../helpers/escape-rows.ts'
import { supervise } from '../helpers/supervised.ts'
import { type Baseline, endSurvivors, liveDescendants, signalSame, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

type Level = 'namespace' | 'shim' | 'group'

/** What the group level can't promise: it has neither subreaper nor namespace. The first always stays, the others may. */
const beyondGroup = ['7', '11b', '11c', '11d']

const verify = process.env.STABLENEW_VERIFY === '1'
/** `nobody`: the long run takes every row as an ordinary user too, for whom namespaces need more than for root. */
const ordinaryUser = 65534

/** Every row at one level: the supervisor cleans up, and the supervisor is killed. In the long run five times each. */
export function matrix(level: Level): void {
  rowsAt(level, {})
  if (verify && process.getuid?.() === 0) rowsAt(level, { asUser: ordinaryUser })
}

function rowsAt(level: Level, options: { asUser?: number }): void {
  const runs = verify ? 5 : 1
  const who = options.asUser === undefined ? '' : ' as an ordinary user'
  describe.skipIf(process.platform !== 'linux')(`containment level ${level}${who}`, () => {
    let program: ReturnType<typeof escapeProgram>
    let baseline: Baseline
    beforeAll(() => {
      program = escapeProgram(tempDir('escape'))
    })
    afterEach(() => endSurvivors(baseline))

    const standing = () => liveDescendants().filter(({ name }) => name === program.processName)
    const start = async (row: string, atLeast: number) => {
      baseline = takeBaseline()
      const dataDir = tempDir('data')
      chmodSync(dataDir, 0o700)
      if (options.asUser !== undefined) chownSync(dataDir, options.asUser, options.asUser)
      const supervised = supervise([program.command, ...program.args, row], { ...options, dataDir, level })
      const started = await supervised.event('started')
      expect(started.level).toBe(level)
      await supervised.line('ready')
      // Between two links of a chain there may be one process only.
      await waitFor(() => standing().length >= atLeast, `${atLeast} processes of row ${row} alive`, { everyMs: 1 })
      if (row === '3b') signalSame(started.leader!, 'SIGUSR1')
      return supervised
    }

    for (const [row, what, atLeast] of escapeRows) {
      const beyond = level === 'group' && beyondGroup.includes(row)
      const title = (rest: string) => `row ${row}, ${what}: ${rest}`
      for (let run = 1; run <= runs; run++) {
        it(
          title(beyond ? 'stays or may stay when terminated (this level has no subreaper)' : 'nothing is left when terminated'),
          async () => {
            const supervised = await start(row, atLeast)
            if (row !== '3b') supervised.tell('terminate')
            const { closed } = await supervised.event('closed')
            const left = standing()
            if (!beyond) expect(left).toEqual([])
            if (beyond && row === '7') expect(left).toHaveLength(1)
            expect(closed?.outcome).toBe(row === '3b' ? 'exited' : 'terminated')
            expect(await supervised.finish()).toBe(0)
            if (!beyond) await baseline.expectNothingLeft()
          },
        )

        it(
          title(beyond ? 'stays or may stay when the supervisor is killed' : 'nothing is left when the supervisor is killed'),
          async () => {
            const supervised = await start(row, atLeast)
            await supervised.kill()
            if (!beyond) await baseline.expectNothingLeft()
            else if (row === '7') await waitFor(() => standing().length === 1, 'only the daemon stays')
          },
        )
      }
    }
  })
}
