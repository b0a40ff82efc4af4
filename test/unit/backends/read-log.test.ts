import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { readLog } from '../../../src-sidecar/backends/read-log.ts'
import { OutputLog } from '../../../src-sidecar/processes/output-log.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const newFile = () => join(tempDir('log'), 'webui.log')
const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`)

test('the last lines come first, then only what is new', async () => {
  const file = newFile()
  writeFileSync(file, `${numbered(1, 500).join('\n')}\n`)
  const first = await readLog(file, 3)
  expect(first).toMatchObject({ lines: numbered(498, 500), continued: false })
  expect(await readLog(file, 3, first.next)).toEqual({ ...first, lines: [], continued: true })
  appendFileSync(file, 'line 501\nline 502\nhalf a li')
  const second = await readLog(file, 200, first.next)
  expect(second).toMatchObject({ lines: numbered(501, 502), continued: true })
  appendFileSync(file, 'ne\n')
  expect((await readLog(file, 200, second.next)).lines).toEqual(['half a line'])
})

test('a log that is not there yet is empty, and its beginning is not missed', async () => {
  const file = newFile()
  const none = await readLog(file, 200)
  expect(none).toEqual({ lines: [], continued: false, next: '0:0' })
  writeFileSync(file, 'hello\n')
  expect(await readLog(file, 200, none.next)).toMatchObject({ lines: ['hello'], continued: false })
})

test('a log that was rotated or emptied is read from its beginning', async () => {
  const file = newFile()
  writeFileSync(file, 'old\n'.repeat(100))
  const { next } = await readLog(file, 200)
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'new\n')
  const after = await readLog(file, 200, next)
  expect(after).toMatchObject({ lines: ['new'], continued: false })
  writeFileSync(file, '')
  expect(await readLog(file, 200, after.next)).toMatchObject({ lines: [], continued: false })
})

test('of a log that grows faster than it is asked for, only the end is read, in whole lines', async () => {
  const file = newFile()
  writeFileSync(file, 'start\n')
  const { next } = await readLog(file, 200)
  appendFileSync(file, `${'x'.repeat(99)}\n`.repeat(10_000))
  const { lines, continued } = await readLog(file, 2000, next)
  expect([continued, lines.length, new Set(lines)]).toEqual([false, 655, new Set(['x'.repeat(99)])])
})

test('colours are taken out, and of a progress bar only its last state is shown', async () => {
  const file = newFile()
  writeFileSync(file, '\u001b[31mno CUDA\u001b[0m here\r\n  0%|  |\r 50%|█ |\r100%|██|\n')
  expect((await readLog(file, 200)).lines).toEqual(['no CUDA here', '100%|██|'])
})

test('what a process of ours writes is there as soon as it is written', async () => {
  const file = newFile()
  const log = new OutputLog(file, pino({ level: 'silent' }))
  log.write('loading weights')
  await log.close()
  expect((await readLog(file, 200)).lines).toEqual(['loading weights'])
})
