import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { wineEnvironment } from '../../scripts/wine-folder.ts'
import { tempDir } from '../helpers/temp-dir.ts'

/** The folder that scripts/wine-folder.ts makes; undefined: there is no Wine, and what needs it is not run. */
export const wine = process.env.STABLENEW_WINE

/** As a Windows program is given it. */
export const windowsPath = (path: string): string => `Z:${path.replaceAll('/', '\\')}`

export interface WineRun {
  /** Also of every Node below it. */
  readonly nodeOptions?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/**
 * Runs Node for Windows to its end. The package's own Node (24) does not run below Wine 8, Node 22 does.
 * @returns its exit code, and what it said: to a file, because a piped output fails there
 */
export async function runBelowWine(args: readonly string[], { nodeOptions = '', env = {}, cwd }: WineRun = {}) {
  const file = join(tempDir('output'), 'output')
  const out = openSync(file, 'w')
  const child = spawn(realpathSync(join(wine!, 'wine')), [realpathSync(join(wine!, 'node.exe')), ...args], {
    stdio: ['ignore', out, out],
    cwd,
    env: {
      ...process.env,
      ...wineEnvironment(realpathSync(wine!)),
      NODE_OPTIONS: nodeOptions,
      ...env,
    },
  })
  closeSync(out)
  const [code] = (await once(child, 'exit')) as [number | null]
  return { code, output: readFileSync(file, 'utf8') }
}

/** Loads a stand-in for what Wine 8 lacks, before the sidecar. @param lacks the path of wine-lacks.cjs */
export const withoutLacks = (lacks: string): string =>
  `--no-deprecation --disable-warning=ExperimentalWarning --require="${windowsPath(lacks).replaceAll('\\', '/')}"`
