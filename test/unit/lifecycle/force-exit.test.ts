import { expect, test } from 'vitest'
import { programPath } from '../../../src-sidecar/config/program-path.ts'
import { ForceExit } from '../../../src-sidecar/lifecycle/force-exit.ts'
import { flagBytes, noNotes, readNotes, slotBytes, writeNotes } from '../../../src-sidecar/lifecycle/force-exit-shared.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const shared = () => ({
  flags: new Int32Array(new SharedArrayBuffer(flagBytes)),
  notes: new SharedArrayBuffer(2 * slotBytes),
})
const step = (name: string) => ({ ...noNotes, steps: [{ phase: 'components', name }] })

test('the last notes are read, and there are none at first', () => {
  const { flags, notes } = shared()
  expect(readNotes(flags, notes)).toEqual(noNotes)
  for (const name of ['history', 'a much longer name – ü', 'x']) {
    expect(writeNotes(flags, notes, step(name))).toBe(true)
    expect(readNotes(flags, notes)).toEqual(step(name))
  }
})

test('notes that are too long leave the last ones as they are', () => {
  const { flags, notes } = shared()
  writeNotes(flags, notes, step('history'))
  expect(writeNotes(flags, notes, step('x'.repeat(slotBytes)))).toBe(false)
  expect(readNotes(flags, notes)).toEqual(step('history'))
})

test('notes that were being written when the main thread stopped do not hide the last ones', () => {
  const { flags, notes } = shared()
  writeNotes(flags, notes, step('history'))
  Buffer.from(notes, 0, slotBytes).fill(0xff)
  expect(readNotes(flags, notes)).toEqual(step('history'))
})

const watch = () => {
  const folder = tempDir('force-exit')
  return new ForceExit({
    runId: 'run',
    appVersion: '0',
    logFile: `${folder}/shutdown.log`,
    reportFile: `${folder}/last-shutdown.json`,
    workerFile: programPath('force-exit-worker'),
    nativeUrl: new URL('../../../src-sidecar/processes/native-exit.ts', import.meta.url).href,
    compileCacheDir: `${folder}/cache`,
    watchStdin: false,
    parentPid: null,
  })
}
const grace = new AbortController().signal

test('it ends at stop, after a start and before one', async () => {
  const started = watch()
  await started.start(grace)
  await Promise.all([started.stop({ trigger: 'api' }, grace), started.stop({ trigger: 'api' }, grace)])
  expect(await started.closed).toEqual({ name: 'force-exit' })
  const never = watch()
  await never.stop({ trigger: 'api' }, grace)
  expect(await never.closed).toEqual({ name: 'force-exit' })
})
