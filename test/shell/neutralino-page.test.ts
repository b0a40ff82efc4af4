import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { Connected } from '../../src-ui/shell/shell.ts'
import { forgetPages, loadPage, type Page } from '../helpers/neutralino-page.ts'
import {
  type Baseline,
  commandLine,
  endSurvivors,
  liveDescendants,
  signalSame,
  stillRuns,
  takeBaseline,
} from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { type StandIn, startStandIn } from './stand-in.ts'

// The UI's own code, against the stand-in's window.
describe.skipIf(process.platform !== 'linux')('the page of the Neutralino window', () => {
  let baseline: Baseline
  let window: StandIn
  let page: Page
  let load: (mute?: RegExp) => Promise<void>

  beforeEach(async () => {
    baseline = takeBaseline()
    forgetPages()
    window = startStandIn([], ['--no-page'])
    const { port, token } = await window.line(({ standIn }) => standIn === 'listening', 'the window')
    const sidecarArgs = ['--data-dir', tempDir('page'), '--draft-args', '--step-ms 1000']
    load = async (mute) => {
      page = await loadPage({ port: Number(port), token: String(token), sidecarArgs }, mute)
    }
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await page?.unload()
    vi.unstubAllGlobals()
    window.child.stdin?.end()
    await window.ended
    await baseline.expectNothingLeft(10_000).finally(() => endSurvivors(baseline))
  })

  const api = async ({ baseUrl, token }: Connected, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const init = body ? { method: 'POST', body: JSON.stringify(body) } : {}
    return (await fetch(baseUrl + path, { ...init, headers })).json()
  }
  const sidecars = () =>
    liveDescendants().filter(
      ({ pid, parentPid }) => parentPid === window.child.pid && commandLine(pid).includes('src-sidecar/main.ts'),
    )
  const called = (method: string) => window.lines.filter((line) => line.method === method).length
  const theSidecar = () => waitFor(() => sidecars()[0], 'the sidecar')
  /** The sidecar has the window's events from then on. */
  const connectedToWindow = (nth = 1) => window.line(({ method }) => method === 'os.setTray', 'the tray', nth)

  test('starts the sidecar as the window’s own child, finds it again after a reload, and can be closed without a page', async () => {
    await load()
    const first = await page.connected
    const sidecar = await theSidecar()
    await page.unload()
    await load()
    expect(await page.connected).toMatchObject({ baseUrl: first.baseUrl, token: first.token })
    expect(await api(first, '/api/status')).toMatchObject({ shell: 'neutralino' })
    expect(sidecars().map(({ pid }) => pid)).toEqual([sidecar.pid])
    expect(called('os.spawnProcess')).toBe(1)
    await connectedToWindow()
    await page.unload()
    window.tell('close')
    expect(await window.ended).toBe(0)
  })

  test('is told where the sidecar is when that was said between two pages', async () => {
    await load()
    await window.line(({ data }) => (data as { event?: string })?.event === 'stdIn', 'the handshake')
    await page.unload()
    await connectedToWindow()
    const before = performance.now()
    await load()
    expect(await api(await page.connected, '/api/status')).toMatchObject({ shell: 'neutralino' })
    expect(performance.now() - before).toBeLessThan(3000)
    expect(called('os.spawnProcess')).toBe(1)
  })

  test('gives the handshake to a sidecar whose page went before it could', async () => {
    await load(/updateSpawnedProcess/)
    await theSidecar()
    await page.unload()
    await load()
    expect(await api(await page.connected, '/api/status')).toMatchObject({ shell: 'neutralino' })
    expect(called('os.spawnProcess')).toBe(1)
  })

  test('stays when the sidecar was killed, and a restart goes on with another one', async () => {
    await load()
    await page.connected
    await connectedToWindow()
    const killed = await theSidecar()
    signalSame(killed, 'SIGKILL')
    await window.line(({ standIn }) => standIn === 'process-exit', 'the end of the sidecar')
    await page.shell.restart?.()
    expect(page.reloads()).toBe(1)
    await page.unload()
    await load()
    expect(await api(await page.connected, '/api/status')).toMatchObject({ shell: 'neutralino' })
    expect(called('app.exit')).toBe(0)
    await connectedToWindow(2)
    window.tell('close')
    expect(await window.ended).toBe(0)
  })

  test('a restart ends a sidecar that is still there first, and the window stays', async () => {
    await load()
    await page.connected
    await connectedToWindow()
    const first = await theSidecar()
    await page.shell.restart?.()
    expect(stillRuns(first)).toBe(false)
    expect(page.reloads()).toBe(1)
    await page.unload()
    await load()
    expect(await api(await page.connected, '/api/status')).toMatchObject({ shell: 'neutralino' })
    expect(called('app.exit')).toBe(0)
  })

  test.for(['close', 'tray quit'] as const)('ends the window 2 s after “%s” when the sidecar is silent', async (command) => {
    await load()
    await page.connected
    const sidecar = await theSidecar()
    signalSame(sidecar, 'SIGSTOP')
    const before = performance.now()
    window.tell(command)
    expect(await window.ended).toBe(0)
    expect(performance.now() - before).toBeGreaterThan(1900)
    expect(performance.now() - before).toBeLessThan(5000)
    expect(stillRuns(sidecar)).toBe(true)
    signalSame(sidecar, 'SIGCONT')
  })

  test('waits for a sidecar that answers while it closes, but for no more than 35 s', async () => {
    await load()
    const connected = await page.connected
    await connectedToWindow()
    await api(connected, '/api/queue', { packId: 'example/portraits.txt', prompts: [0], settings: { steps: 60 } })
    const queue = async () => ((await api(connected, '/api/queue')) as Queue).progress[0]?.fraction
    await waitFor(async () => ((await queue()) ?? 0) > 0, 'steps', { ms: 20_000 })
    await fetch(`${connected.baseUrl}/api/shutdown`, {
      method: 'POST',
      headers: { authorization: `Bearer ${connected.token}`, 'content-type': 'application/json' },
      body: '{"trigger":"exit-button"}',
    })
    await window.line(({ method }) => method === 'app.broadcast', 'the word that the end has begun')
    // Longer than a silent one is given.
    await sleep(3000)
    expect(called('app.exit')).toBe(0)
    const now = Date.now.bind(Date)
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 36_000)
    expect(await window.ended).toBe(0)
    const [sidecar] = liveDescendants().filter(({ pid }) => commandLine(pid).includes('src-sidecar/main.ts'))
    expect(sidecar && stillRuns(sidecar)).toBe(true)
    // A second request cuts the wait for its image short.
    signalSame(sidecar!, 'SIGTERM')
  })
})

test.skipIf(process.platform !== 'linux')('a desktop without a tray changes nothing else', async () => {
  const window = startStandIn(['--data-dir', tempDir('no-tray')], ['--no-tray'])
  await window.line(({ standIn }) => standIn === 'page-ready', 'the page')
  await window.line(({ method }) => method === 'os.setTray', 'the try')
  window.tell('close')
  expect(await window.ended).toBe(0)
})
