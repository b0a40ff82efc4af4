import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { findChromium } from '../../src-sidecar/shell/find-chromium.ts'
import { type RunningSidecar, startSidecar } from './sidecar.ts'
import { takeBaseline } from './survivors.ts'

const executablePath = findChromium(process.env)
if (executablePath === null && process.env.STABLENEW_NO_BROWSER !== '1')
  throw new Error('no Chromium for the end-to-end test: run npm test')

/** Whether there is a browser; without one the end-to-end tests are skipped, where STABLENEW_NO_BROWSER allows that. */
export const hasBrowser = executablePath !== null

const flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run']

export interface BrowserPage {
  readonly page: Page
  /** What the page reported as wrong. */
  readonly problems: readonly string[]
}

/**
 * For a test file: a browser that is there before its tests, and sidecars. After them all are ended, and nothing may be left;
 * between tests that can't be told, for a browser's own processes come and go.
 */
export function useBrowser() {
  const baseline = takeBaseline()
  const sidecars: RunningSidecar[] = []
  let browser: Browser | undefined
  beforeAll(async () => {
    if (executablePath !== null) browser = await chromium.launch({ executablePath, args: flags })
  })
  afterAll(async () => {
    for (const { child, ended } of sidecars) {
      if (child.exitCode === null) child.kill('SIGKILL')
      await ended
    }
    await browser?.close()
    await baseline.expectNothingLeft()
  })

  const start = async (options: Parameters<typeof startSidecar>[0] = {}): Promise<RunningSidecar> => {
    const sidecar = await startSidecar(options)
    sidecars.push(sidecar)
    return sidecar
  }
  /** A page that is not shown anything yet. */
  const newPage = async (options: Parameters<Browser['newPage']>[0] = {}): Promise<BrowserPage> => {
    if (browser === undefined) throw new Error('there is no browser')
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, reducedMotion: 'reduce', ...options })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    return { page, problems }
  }
  return { start, newPage }
}

/** Where a sidecar's UI is, signed in. @param hash such as `#/diagnostics` */
export const addressOf = ({ url, token }: RunningSidecar, hash = ''): string => `${url}/?token=${token}${hash}`
