import { afterEach, describe, expect, test } from 'vitest'
import { checkEnding } from '../helpers/check-ending.ts'
import { type EndTrigger, states, triggers } from '../helpers/endings.ts'
import { launch, launchSidecar, queueDone } from '../helpers/launched-sidecar.ts'
import { randomSeed, seededRandom } from '../helpers/seeded-random.ts'
import { endSurvivors, takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

const whole = process.env.STABLENEW_VERIFY === '1'
const seed = Number(process.env.STABLENEW_SEED ?? randomSeed())
const baseline = takeBaseline()

// A failed test must not make the next ones fail.
afterEach(() => endSurvivors(baseline))

describe.skipIf(process.platform !== 'linux')('every way out', () => {
  for (const [row, trigger] of triggers.entries()) {
    for (const [column, state] of states.entries()) {
      // Each trigger once, and each state by turns; the whole cross where it is asked for.
      if (!whole && row % states.length !== column) continue
      test(`${trigger.name} ends a sidecar ${state.name}, leaves nothing and loses no job`, () =>
        checkEnding([trigger], state, baseline))
    }
  }

  const quick = triggers.filter(({ slow }) => slow === undefined)
  const shellDeath: EndTrigger[] = ['stdin-eof', 'parent-gone'].map((reported) => ({
    name: reported,
    reported: reported as EndTrigger['reported'],
    exitCode: 0,
    launch: { launcher: { stdin: 'launcher' } },
    pull: ({ child }) => child.kill('SIGKILL'),
  }))
  test('the end of stdin and of the parent, which come together, are one end', () =>
    checkEnding(shellDeath, states[2]!, baseline))

  describe.skipIf(!whole)(`triggers at once (seed ${seed})`, () => {
    const random = seededRandom(seed)
    for (const count of [2, 3]) {
      for (let round = 0; round < 2 * states.length; round++) {
        const pulled = random.some(quick, count)
        const state = states[round % states.length]!
        test(`${pulled.map(({ name }) => name).join(' and ')} end a sidecar ${state.name} once`, () =>
          checkEnding(pulled, state, baseline))
      }
    }
  })

  test.skipIf(!whole)(
    `a trigger at 20 random moments of the start ends it, and the job is done later (seed ${seed})`,
    { timeout: 240_000 },
    async () => {
      const dataDir = tempDir('start')
      const first = await launchSidecar({ dataDir, args: ['--draft-args', '--startup-ms 20000'] })
      await first.queue('example/portraits.txt', { prompts: [0], settings: { steps: 2, width: 64, height: 64 } })
      first.child.kill('SIGTERM')
      expect(await first.ended).toMatchObject({ code: 0 })
      const random = seededRandom(seed)
      for (let round = 0; round < 20; round++) {
        const trigger = random.pick(['SIGTERM', 'SIGINT', 'SIGHUP', 'stdin'] as const)
        const afterMs = random.whole(0, 1500)
        const { child, ended, output } = launch({ dataDir, args: ['--draft-args', '--startup-ms 20000'] })
        const due = performance.now() + afterMs
        await waitFor(() => performance.now() >= due, 'the moment', { everyMs: 1 })
        if (trigger === 'stdin') child.stdin?.end()
        else child.kill(trigger)
        const { code, signal } = await ended
        // Before our handlers are there, a signal ends it as it ends any program.
        const good = code === 0 || (code === null && signal === trigger)
        expect(good, `${trigger} after ${afterMs} ms: ${code ?? signal} ${output()}`).toBe(true)
        await baseline.expectNothingLeft()
      }
      const last = await launchSidecar({ dataDir })
      const { ended } = await queueDone(last)
      expect(ended).toMatchObject([{ state: 'completed', imagesDone: 1 }])
      last.child.kill('SIGTERM')
      expect(await last.ended).toMatchObject({ code: 0 })
    },
  )
})
