import { dirname, join } from 'node:path'

/**
 * Every file that is started or loaded as a program of its own, by its source in `src-sidecar`. In the package each is bundled into
 * one file, and all lie in one folder.
 */
export const programs = {
  main: 'main.ts',
  'draft-engine': 'backends/draft-engine/main.ts',
  // Started by the draft engine, which knows it as its neighbour.
  'draft-worker': 'backends/draft-engine/draft-worker.ts',
  'shim.linux': 'processes/shim.linux.ts',
  'shim.posix': 'processes/shim.posix.ts',
  'shim.win32': 'processes/shim.win32.ts',
  'native-exit': 'processes/native-exit.ts',
  'force-exit-worker': 'lifecycle/force-exit-worker.ts',
  witness: 'selftest/witness.ts',
  'neutralino-stand-in': 'selftest/neutralino-stand-in.ts',
  'blocked-loop': 'selftest/faults/blocked-loop.ts',
} as const
export type ProgramName = keyof typeof programs

/** Whether this is the package and not the sources. */
export const isPackaged = !import.meta.filename.endsWith('.ts')

/** The folder with `package.json`, `neutralino.config.json` and `resources/`. */
export const appFolder = isPackaged ? dirname(import.meta.dirname) : join(import.meta.dirname, '../..')

/** Where a program lies, absolute. */
export const programPath = (name: ProgramName): string =>
  isPackaged ? join(import.meta.dirname, `${name}.js`) : join(appFolder, 'src-sidecar', programs[name])
