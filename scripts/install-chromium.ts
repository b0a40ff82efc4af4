import { findChromium } from '../src-sidecar/shell/find-chromium.ts'
import { runChild } from './run-child.mjs'

/** Installs Debian's `chromium`, where apt-get is there and we are root. Returns its path, or null. */
export async function installChromium(): Promise<string | null> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null
  console.error('Installing chromium for the tests (apt-get) …')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', 'chromium'],
  ]) {
    try {
      const { exitCode } = await runChild('apt-get', args, { stdio: ['ignore', 2, 2], env, timeoutMs: 10 * 60_000 })
      if (exitCode !== 0) return null
    } catch {
      return null // no apt-get here
    }
  }
  return findChromium(process.env)
}
