import { expect, test } from 'vitest'
import { parseArguments } from '../../../../src-sidecar/backends/draft-engine/arguments.ts'

test('without arguments it takes a free port on the loopback address and 40 ms a step', () => {
  expect(parseArguments([])).toEqual({
    kind: 'run',
    settings: {
      port: 0,
      host: '127.0.0.1',
      stepMs: 40,
      startupMs: 0,
      workers: 0,
      ignoreTerm: false,
      watchStdin: false,
      behindShell: false,
      daemon: false,
      crashAt: null,
      stopAt: null,
      requestLog: null,
      leakKbPerS: 0,
    },
  })
})

test('every option is read', () => {
  const args = '--port 7860 --host ::1 --step-ms 0 --startup-ms 5 --workers 3 --ignore-term --watch-stdin --request-log a.log'
  const faults = '--leak-kb-per-s 150 --behind-shell --daemon --crash-at 50 --stop-at 25'
  const settings = {
    port: 7860,
    host: '::1',
    stepMs: 0,
    startupMs: 5,
    workers: 3,
    ignoreTerm: true,
    watchStdin: true,
    behindShell: true,
    daemon: true,
    crashAt: 0.5,
    stopAt: 0.25,
    requestLog: 'a.log',
    leakKbPerS: 150,
  }
  expect(parseArguments(`${args} ${faults}`.split(' '))).toEqual({ kind: 'run', settings })
})

test.each([
  [['--port', '70000'], /--port must be a whole number from 0 to 65535, not '70000'/],
  [['--port', 'x'], /--port/],
  [['--step-ms=-1'], /--step-ms/],
  [['--workers', '1.5'], /--workers/],
  [['--host', ''], /--host/],
  [['--nope'], /--nope/],
  [['stray'], /stray/],
])('%j is refused in one line', (args, message) => {
  const parsed = parseArguments(args)
  expect(parsed).toMatchObject({ kind: 'bad', message: expect.stringMatching(message) })
  expect(parsed.kind === 'bad' && parsed.message).not.toContain('\n')
})
