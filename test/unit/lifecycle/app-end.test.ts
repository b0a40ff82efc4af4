import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppEnd } from '../../../src-sidecar/lifecycle/app-end.ts'
import { ShutdownRecord } from '../../../src-sidecar/lifecycle/shutdown-record.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

test('an uncaught error in the middle of a clean end is in the report, whose exit code is the one of the process', async () => {
  const folder = tempDir('app-end')
  const [logFile, reportFile] = [join(folder, 'shutdown.log'), join(folder, 'last-shutdown.json')]
  const record = new ShutdownRecord({ logFile, reportFile })
  const end = new AppEnd({ runId: 'run', appVersion: '0', record, onClosing: () => {} })
  const held = Promise.withResolvers<void>()
  end.coordinator.register({ phase: 'jobs', name: 'running image', deadlineMs: 5000, run: () => held.promise })

  const first = end.request({ trigger: 'SIGTERM' })
  const second = end.request({ trigger: 'uncaught-error', detail: 'planted' })
  held.resolve()
  expect(await first).toEqual(await second)
  expect(await first).toMatchObject({ trigger: 'SIGTERM', verdict: 'unclean', exitCode: 70, left: [] })
  expect(record.readLast()).toMatchObject({ remarks: ['uncaught error while closing: planted'], exitCode: 70 })
  expect(readFileSync(logFile, 'utf8')).toContain('unclean (exit code 70)')
})
