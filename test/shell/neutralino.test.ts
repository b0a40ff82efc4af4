import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { liveDescendants, signalSame } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { npmStart, type Started, spawnNpmStart } from './npm-start.ts'
import { hasScreenPrograms, type Screen, startScreen } from './screen.ts'
import { type WatchedPage, watchPage } from './watched-page.ts'

const binary = process.env.NEUTRALINO_BIN ?? ''

describe.skipIf(process.platform !== 'linux' || !binary || !hasScreenPrograms)('the real Neutralino window', () => {
  let screen: Screen
  let page: WatchedPage
  beforeAll(async () => {
    screen = await startScreen()
    page = await watchPage(binary)
  })
  afterAll(async () => {
    await page?.stop()
    await screen?.stop()
  })

  const open = async (): Promise<Started> => {
    const started = await npmStart([], { ...screen.env, NEUTRALINO_BIN: page.binary })
    await page.shown()
    return started
  }
  const close = () => screen.closeWindow('StableNew')
  const processOf = ({ all }: Started, name: string) => all.find((one) => one.name.startsWith(name))!
  const sidecars = () =>
    liveDescendants().filter(({ parentPid }) =>
      liveDescendants().some(({ pid, name }) => pid === parentPid && name.startsWith('neutralino')),
    )

  test('a reload of its page starts no second sidecar, and its close button ends everything with 0', async () => {
    const started = await open()
    expect(screen.titles()).toEqual(['StableNew'])
    const before = sidecars()
      .map(({ pid }) => pid)
      .sort()
    page.reload()
    await page.shown()
    expect(
      sidecars()
        .map(({ pid }) => pid)
        .sort(),
    ).toEqual(before)
    close()
    expect(await started.ended).toBe(0)
    await started.allGone()
  })

  test('Exit ends window and launcher', async () => {
    const started = await open()
    const headers = { authorization: `Bearer ${started.token}`, 'content-type': 'application/json' }
    await fetch(`${started.url}/api/shutdown`, { method: 'POST', headers, body: '{"trigger":"exit-button"}' })
    expect(await started.ended).toBe(0)
    await started.allGone()
  })

  test('a second start brings the first window to the front and ends', async () => {
    const started = await open()
    const second = spawnNpmStart(['--data-dir', started.dataDir], { ...screen.env, NEUTRALINO_BIN: page.binary })
    expect(await second.ended).toBe(0)
    expect(screen.titles()).toEqual(['StableNew'])
    close()
    await started.allGone()
  })

  test.for(['neutralino', 'WebKitWebProces'])('after SIGKILL of %s and a click on close nothing is left', async (name) => {
    const started = await open()
    signalSame(processOf(started, name), 'SIGKILL')
    close()
    await started.allGone()
  })

  test.for(['SIGKILL', 'SIGTERM'] as const)('after %s of the launcher nothing is left', async (signal) => {
    const started = await open()
    signalSame(started.launcher, signal)
    await started.allGone()
  })

  test('a window whose sidecar was killed can be closed', async () => {
    const started = await open()
    signalSame(started.sidecar, 'SIGKILL')
    await waitFor(
      () => !started.alive().includes('MainThread') || sidecars().every(({ pid }) => pid !== started.sidecar.pid),
      'the end of the sidecar',
    )
    close()
    await started.allGone()
  })

  test('a window whose sidecar is silent ends itself 2 s after the click on close', async () => {
    const started = await open()
    signalSame(started.sidecar, 'SIGSTOP')
    close()
    await waitFor(() => screen.titles().length === 0, 'the end of the window', { ms: 6000 })
    signalSame(started.sidecar, 'SIGCONT')
    await started.allGone()
  })
})
