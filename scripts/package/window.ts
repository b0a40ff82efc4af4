import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fetchNeutralino, findNeutralino } from '../neutralino.mjs'
import { runChild } from '../run-child.mjs'
import { root, SetupError } from '../run-script.mjs'
import type { Target } from './targets.ts'

const binaryOf = (target: Target): string => join(root, 'bin', `neutralino-${target.neutralino}`)

/** What `neu build` made: a window's program for each target that has a binary, and their resources. */
export interface BuiltWindow {
  readonly folder: string
  /** The window's program for a target; null where there is none. */
  program(target: Target): string | null
}

/**
 * Builds the Neutralino windows, after `neu update` where a binary is missing.
 * @returns null where there is no binary at all
 */
export async function buildWindow(targets: readonly Target[], tell: (line: string) => void): Promise<BuiltWindow | null> {
  if (!targets.every((target) => existsSync(binaryOf(target)))) {
    const why = await fetchNeutralino(root, process.execPath, true)
    if (why !== null && !targets.some((target) => existsSync(binaryOf(target))) && !findNeutralino(root)) {
      tell(`No Neutralino window in the packages (${why}): they open in a browser’s app window.`)
      return null
    }
  }
  const folder = join(root, '.tmp/package/window')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'bin'), { recursive: true })
  copyFileSync(join(root, 'neutralino.config.json'), join(folder, 'neutralino.config.json'))
  mkdirSync(join(folder, 'resources'))
  cpSync(join(root, 'resources/ui'), join(folder, 'resources/ui'), { recursive: true })
  for (const name of readdirSync(join(root, 'bin'))) copyFileSync(join(root, 'bin', name), join(folder, 'bin', name))
  const neu = join(root, 'node_modules/@neutralinojs/neu/bin/neu.js')
  const { exitCode } = await runChild(process.execPath, [neu, 'build'], { cwd: folder, stdio: ['ignore', 2, 2] })
  if (exitCode !== 0) throw new SetupError('neu build failed (see above).')
  const dist = join(folder, 'dist/stablenew')
  return {
    folder: dist,
    program(target) {
      const program = join(dist, `stablenew-${target.neutralino}`)
      if (existsSync(binaryOf(target)) && existsSync(program)) return program
      tell(
        `No Neutralino window for ${target.name}: bin/neutralino-${target.neutralino} is missing. It opens in a browser’s app window.`,
      )
      return null
    },
  }
}
