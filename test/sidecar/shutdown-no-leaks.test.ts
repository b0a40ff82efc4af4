import { expect, test } from 'vitest'
import { launchSidecar, queueDone, readLastShutdown } from '../helpers/launched-sidecar.ts'
import { takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'

const runs = 100

/** The plan's `test_shutdown_no_leaks`: one after another, so that each finds the machine as the last one left it. */
test.skipIf(process.platform !== 'linux')(
  `${runs} times in a row: start, make an image, close: no survivor, no port, nothing left open`,
  { timeout: 900_000 },
  async () => {
    const baseline = takeBaseline()
    const dataDir = tempDir('no-leaks')
    for (let run = 1; run <= runs; run++) {
      const sidecar = await launchSidecar({ dataDir, args: ['--draft-args', '--step-ms 0'] })
      await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { width: 64, height: 64, steps: 1 } })
      const { ended } = await queueDone(sidecar)
      expect(ended[0]?.state).toBe('completed')
      expect(baseline.survivors().length, 'alive before').toBeGreaterThanOrEqual(2)
      await sidecar.post('/api/shutdown', { trigger: 'exit-button' })
      expect((await sidecar.ended).code, `run ${run}`).toBe(0)
      expect(baseline.survivors(), `run ${run}`).toEqual([])
      await baseline.expectNothingLeft()
      expect(readLastShutdown(dataDir)).toMatchObject({ verdict: 'clean', left: [] })
    }
  },
)
