import type { Shell } from './shell.ts'

/** Neutralino's code is loaded only where its globals are. */
export async function detectShell(): Promise<Shell> {
  if ('NL_PORT' in window || 'NL_TOKEN' in window) return (await import('./neutralino.ts')).neutralinoShell
  return (await import('./browser.ts')).browserShell
}
