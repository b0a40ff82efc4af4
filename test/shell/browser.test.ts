import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium } from '../../src-sidecar/shell/find-chromium.ts'
import { commandLine, liveDescendants, signalSame, stillRuns } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { npmStart, type Started } from './npm-start.ts'
import { hasScreenPrograms, type Screen, startScreen } from './screen.ts'

const browser = findChromium(process.env)

describe.skipIf(process.platform !== 'linux' || !browser || !hasScreenPrograms)('the app window of a browser', () => {
  let screen: Screen
  beforeAll(async () => {
    screen = await startScreen()
  })
  afterAll(() => screen?.stop())

  const open = async (...more: string[]): Promise<Started> => {
    const started = await npmStart(['--shell', 'browser', ...more], screen.env)
    await waitFor(() => screen.titles().includes('StableNew'), 'the app window', { ms: 20_000, everyMs: 50 }).catch((error) => {
      const log = readFileSync(join(started.dataDir, 'logs/stablenew.log'), 'utf8')
      throw new Error(`${error.message}; ${screen.titles()}; ${started.output()}; ${log}`)
    })
    return started
  }

  test('has the profile in the data folder, and its close button ends everything with 0', async () => {
    const started = await open()
    expect(existsSync(join(started.dataDir, 'browser-profile/Default'))).toBe(true)
    screen.closeWindow('StableNew')
    expect(await started.ended).toBe(0)
    await started.allGone()
    expect(existsSync(join(started.dataDir, 'browser-profile/tmp'))).toBe(false)
  })

  test('is closed when the sidecar is told to end', async () => {
    const started = await open()
    signalSame(started.sidecar, 'SIGTERM')
    expect(await started.ended).toBe(0)
    await started.allGone()
  })

  test('goes with a sidecar that is killed', async () => {
    const started = await open()
    signalSame(started.sidecar, 'SIGKILL')
    await started.allGone()
    await waitFor(() => screen.titles().length === 0, 'the end of the window')
  })
})

test.skipIf(process.platform !== 'linux')(
  'without a Chromium the default browser gets the URL, beside the sidecar, and outlives it',
  async () => {
    const folder = tempDir('opener')
    const opener = join(folder, 'xdg-open')
    writeFileSync(opener, `#!/bin/sh\necho "$1" > '${folder}/opened'\nexec sleep 60.25\n`)
    chmodSync(opener, 0o755)
    const started = await npmStart(['--shell', 'browser'], {
      CHROMIUM_BIN: '/no/such/browser',
      PATH: `${folder}:${process.env.PATH}`,
    })
    await waitFor(() => existsSync(join(folder, 'opened')), 'the opened URL')
    const opened = await waitFor(() => readFileSync(join(folder, 'opened'), 'utf8').trim(), 'the opened URL')
    // A code that works once: it becomes a cookie.
    const page = await fetch(opened, { redirect: 'manual' })
    expect(page.status).toBe(302)
    expect(page.headers.get('set-cookie')).toContain('HttpOnly')
    expect((await fetch(opened, { redirect: 'manual' })).status).toBe(401)
    expect(started.output()).toContain('No Chromium, Chrome or Edge was found')
    const browserProcess = await waitFor(
      () => liveDescendants().find(({ pid }) => commandLine(pid).includes('sleep 60.25')),
      'the opener',
    )
    expect(browserProcess.parentPid).not.toBe(started.sidecar.pid)
    signalSame(started.sidecar, 'SIGTERM')
    expect(await started.ended).toBe(0)
    expect(stillRuns(browserProcess)).toBe(true)
    signalSame(browserProcess, 'SIGKILL')
  },
)
