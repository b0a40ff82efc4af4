import type { Shell } from './shell.ts'

/** Stands in until the window's side of Neutralino is written. */
export const neutralinoShell: Shell = {
  kind: 'neutralino',
  connect: () => Promise.reject(new Error('This window cannot start StableNew yet.')),
  front() {},
  exitWindow() {},
}
