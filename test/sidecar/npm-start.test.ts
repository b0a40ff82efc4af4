import { expect, test } from 'vitest'
import { signalSame } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { npmStart } from '../shell/npm-start.ts'

const none = ['--shell', 'none']

test.skipIf(process.platform !== 'linux')(
  'npm start prints its URL, asks for the token, and ends with 0 when the sidecar is told to end',
  async () => {
    const started = await npmStart(none)
    await waitFor(() => started.output().includes('StableNew is ready: http://127.0.0.1:'), 'the printed URL', { ms: 5000 })
    expect((await fetch(started.url)).status).toBe(401)
    const printed = /StableNew is ready: (\S+)/.exec(started.output())?.[1] ?? ''
    expect((await fetch(printed)).status).toBe(200)
    const from = performance.now()
    signalSame(started.sidecar, 'SIGTERM')
    expect(await started.ended).toBe(0)
    expect(performance.now() - from).toBeLessThan(5000)
    await started.allGone(1000)
  },
)

test.skipIf(process.platform !== 'linux').for([
  ['npm', 'SIGTERM'],
  ['npm', 'SIGKILL'],
  ['launcher', 'SIGTERM'],
  ['launcher', 'SIGINT'],
  ['launcher', 'SIGKILL'],
] as const)('%s of npm start: after %s nothing is left', async ([who, signal]) => {
  const started = await npmStart(none)
  expect(started.alive().length).toBeGreaterThanOrEqual(3)
  if (who === 'npm') started.npm.kill(signal)
  else signalSame(started.launcher, signal)
  await started.allGone(10_000)
})
