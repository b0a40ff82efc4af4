import { expect, test } from 'vitest'
import { randomSeed } from '../helpers/seeded-random.ts'
import { chaos } from '../soak/chaos.ts'

const seed = Number(process.env.STABLENEW_SEED ?? randomSeed())

test.skipIf(process.platform !== 'linux')(
  `20 kills of a random member at a random moment leave nothing and lose and repeat no image (seed ${seed})`,
  { timeout: 600_000 },
  async () => {
    const lines: string[] = []
    const failed = await chaos({ seed, runs: 20, say: (line) => lines.push(line) })
    expect(lines).toHaveLength(20)
    expect(failed, `seed ${seed}`).toEqual([])
  },
)
