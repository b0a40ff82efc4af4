import { findChromium } from '../src-sidecar/shell/find-chromium.ts'
import { runChild } from './run-child.mjs'

/** Installs Debian's `chromium`, where apt-get is there and we are root. Returns its path, or null. */
export const installChromium = async (): Promise<string | null> =>
  (await installPackages('chromium')) ? findChromium(process.env) : null

/** Installs packages of Debian's, where apt-get is there and we are root. @returns whether they are there now. */
export async function installPackages(...packages: readonly string[]): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  console.error(`Installing ${packages.join(', ')} for the tests (apt-get) …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', ...packages],
  ]) {
    try {
      const { exitCode } = await runChild('apt-get', args, { stdio: ['ignore', 2, 2], env, timeoutMs: 10 * 60_000 })
      if (exitCode !== 0) return false
    } catch {
      return false // no apt-get here
    }
  }
  return true
}
