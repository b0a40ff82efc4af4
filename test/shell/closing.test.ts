import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { LastShutdown } from '../../src-sidecar/contract/last-shutdown.ts'
import { closeSidecar, startSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { type Baseline, endSurvivors, liveDescendants, signalSame, stillRuns, takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { type OpenShell, openNeutralino, openStandIn } from './open-shell.ts'
import { hasScreenPrograms, type Screen, startScreen } from './screen.ts'
import { type WatchedPage, watchPage } from './watched-page.ts'

interface Scenario {
  readonly name: string
  act(app: OpenShell): unknown
  /** What the report may name; null where the sidecar writes none. */
  readonly triggers: readonly string[] | null
  readonly exitCode: number
}

const windowGone = ({ shell }: OpenShell, ms: number) => waitFor(() => !stillRuns(shell), 'the end of the window', { ms })

const scenarios: readonly Scenario[] = [
  { name: 'a click on the close button', act: (app) => app.closeWindow(), triggers: ['window-close'], exitCode: 0 },
  {
    name: 'the Exit button',
    act: (app) => app.post('/api/shutdown', { trigger: 'exit-button' }),
    triggers: ['exit-button'],
    exitCode: 0,
  },
  { name: 'Quit in the tray', act: (app) => app.clickTray('quit'), triggers: ['tray-quit'], exitCode: 0 },
  {
    name: 'SIGKILL of the window',
    act: ({ shell }) => signalSame(shell, 'SIGKILL'),
    triggers: ['stdin-eof', 'shell-gone', 'parent-gone'],
    exitCode: 137,
  },
  { name: 'the loss of the socket alone', act: (app) => app.dropSocket?.(), triggers: ['shell-gone'], exitCode: 0 },
  {
    name: 'a reload of the page, then a click on the close button',
    act: async (app) => {
      await app.reload()
      const below = liveDescendants().filter(({ parentPid }) => parentPid === app.shell.pid)
      expect(below.filter(({ name }) => name === app.sidecar.name).map(({ pid }) => pid)).toEqual([app.sidecar.pid])
      app.closeWindow()
    },
    triggers: ['window-close'],
    exitCode: 0,
  },
  {
    name: 'SIGKILL of the sidecar, then a click on the close button',
    act: async (app) => {
      signalSame(app.sidecar, 'SIGKILL')
      await waitFor(() => !stillRuns(app.sidecar), 'the end of the sidecar')
      expect(stillRuns(app.shell)).toBe(true)
      app.closeWindow()
      await windowGone(app, 4000)
    },
    triggers: null,
    exitCode: 0,
  },
  {
    name: 'SIGSTOP of the sidecar, a click on the close button, and SIGCONT when the window has ended itself',
    act: async (app) => {
      signalSame(app.sidecar, 'SIGSTOP')
      const before = performance.now()
      app.closeWindow()
      await windowGone(app, 6000)
      expect(performance.now() - before).toBeGreaterThan(1900)
      expect(stillRuns(app.sidecar)).toBe(true)
      signalSame(app.sidecar, 'SIGCONT')
    },
    triggers: ['window-close', 'stdin-eof', 'shell-gone', 'parent-gone'],
    exitCode: 0,
  },
]

function closesWell(open: () => Promise<OpenShell>): void {
  let baseline: Baseline
  beforeEach(() => {
    baseline = takeBaseline()
  })
  afterEach(() => endSurvivors(baseline))

  test.for(scenarios)('in the middle of a job, $name leaves no process, port or lost image', async (scenario, { skip }) => {
    const app = await open()
    if (scenario.triggers?.join() === 'shell-gone' && !app.dropSocket) skip()
    await app.post('/api/queue', { packId: 'example/portraits.txt', prompts: [0], images: 3, settings: { steps: 8 } })
    await waitFor(async () => ((await app.queue()).running[0]?.imagesDone ?? 0) > 0, 'the first image', { ms: 20_000 })
    const before = performance.now()
    await scenario.act(app)
    await baseline.expectNothingLeft(10_000).catch((error) => {
      throw new Error(`${error.message}; ${app.output()}`)
    })
    expect(performance.now() - before).toBeLessThan(10_000)
    expect(await app.ended).toBe(scenario.exitCode)
    expectReport(app.dataDir, scenario)

    const next = await startSidecar({ dataDir: app.dataDir, args: ['--draft-args', '--step-ms 0'] })
    const { images } = await waitForEmptyQueue(next)
    expect(images.map(({ imageIndex }) => imageIndex).toSorted()).toEqual([0, 1, 2])
    expect((await closeSidecar(next)).code).toBe(0)
  })
}

function expectReport(dataDir: string, { triggers }: Scenario): void {
  const read = (): LastShutdown => JSON.parse(readFileSync(join(dataDir, 'last-shutdown.json'), 'utf8'))
  if (triggers === null) return void expect(read).toThrow('ENOENT')
  const report = read()
  expect(report).toMatchObject({ verdict: 'clean', exitCode: 0, left: [] })
  expect(triggers).toContain(report.trigger)
}

describe.skipIf(process.platform !== 'linux')('below the stand-in', () => closesWell(openStandIn))

const binary = process.env.NEUTRALINO_BIN ?? ''
describe.skipIf(process.platform !== 'linux' || !binary || !hasScreenPrograms)('below the real Neutralino', () => {
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
  closesWell(() => openNeutralino(screen, page))
})
