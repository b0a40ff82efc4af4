import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { selftestReportSchema } from '../../src-sidecar/contract/selftest.ts'
import { possibleCloses } from '../../src-sidecar/selftest/closes.ts'
import { allScenarios, cyclesId } from '../../src-sidecar/selftest/plan-runs.ts'
import { seededRandom } from '../helpers/seeded-random.ts'

const mainProgram = fileURLToPath(new URL('../../src-sidecar/main.ts', import.meta.url))

export interface ScenarioPlan {
  readonly id: string
  readonly close: (typeof possibleCloses)[number]
}

/** The same for the same seed and number, whatever the other runs were. */
export function planScenario(seed: number, run: number): ScenarioPlan {
  const random = seededRandom(seed * 1013 + run)
  return { id: random.pick(allScenarios.filter(({ id }) => id !== cyclesId)).id, close: random.pick(possibleCloses) }
}

/** One scenario or fault of the selftest, closed in one way. @returns what was wrong */
export async function runScenario({ id, close }: ScenarioPlan): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'stablenew-soak-'))
  const file = join(folder, 'report.json')
  try {
    const args = ['--selftest', '--scenario', id, '--close', close, '--repeat', '1', '--watch', '1', '--report', file]
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', mainProgram, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let errors = ''
    child.stderr.on('data', (data) => (errors += data))
    const [code] = await once(child, 'exit')
    const { runs } = selftestReportSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    const findings = runs.flatMap(({ result }) => result?.findings ?? [])
    return code === 0 ? findings : [...findings, `exit code ${code} ${errors.trim()}`.trim()]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
