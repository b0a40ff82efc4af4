import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Containment } from '../../../src-sidecar/processes/spawn-contained.ts'
import { SelftestProcess } from '../../../src-sidecar/selftest/selftest-process.ts'
import { takeBaseline } from '../../helpers/survivors.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { silent } from '../jobs/queue-fixture.ts'

const baseline = takeBaseline()
const never = new AbortController().signal
let end = async () => {}

afterEach(async () => {
  await end()
  await baseline.expectNothingLeft()
})

/** A selftest whose program is this script. */
async function selftestOf(script: string) {
  const folder = tempDir('selftest')
  const program = join(folder, 'program.mjs')
  writeFileSync(program, script)
  const containment = new Containment({
    dataDir: folder,
    runToken: 'selftest-test',
    level: 'auto',
    env: process.env,
    logger: silent,
  })
  await containment.start(never)
  end = () => containment.stop({ trigger: 'api' }, never)
  return new SelftestProcess({ containment, program, reportFile: join(folder, 'report.json') })
}

const run = { id: 'T1', title: 'launch, close at once', repeat: 1, close: 'window', phase: 'working', result: null }
const said = (line: object) => `console.log(${JSON.stringify(JSON.stringify(line))})`

test('the app does not crash when a selftest says a line that is longer than any line may be', async () => {
  const long = { stablenew: 'selftest-run', index: 1, run: { ...run, title: 'x'.repeat(20_000) } }
  const selftest = await selftestOf(
    [said({ stablenew: 'selftest-run', index: 0, run }), said(long), 'process.exitCode = 1'].join('\n'),
  )
  await selftest.start({ repeat: 1, watchS: 0, faults: false })
  await waitFor(() => !selftest.state.running, 'its end', { ms: 20_000 })
  expect(selftest.state).toMatchObject({ runs: [run], verdict: null, problem: expect.any(String) })
})

test('a selftest that wrote no readable report has a problem and no verdict', async () => {
  const selftest = await selftestOf(said({ stablenew: 'selftest-report', file: '/nowhere/report.json' }))
  await selftest.start({ repeat: 1, watchS: 0, faults: false })
  await waitFor(() => !selftest.state.running, 'its end', { ms: 20_000 })
  expect(selftest.state).toMatchObject({ verdict: null, problem: expect.any(String) })
})
