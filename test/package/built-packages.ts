import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { projectFolder } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const withinMs = 300_000

/**
 * The folder with the packages, made by the first test file that asks for them and shared by all of a run: that for Windows too where
 * Wine is there to run it. As `npm run package` makes them, but hardly compressed, and with a browser's window.
 */
export async function builtPackages(): Promise<string> {
  const folder = join(inject('runFolder'), 'packages')
  const done = join(folder, 'exit-code')
  if (isFirst(folder)) {
    const script = join(projectFolder, 'scripts/package/package.ts')
    const only = process.env.STABLENEW_WINE ? [] : ['--only', 'linux-x64']
    const args = ['--disable-warning=ExperimentalWarning', script, '--quick', '--no-window', '--to', folder, ...only]
    const made = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code] = await once(made, 'exit')
    writeFileSync(done, String(code))
  }
  await waitFor(() => existsSync(done) && readFileSync(done, 'utf8') !== '', 'the packages', { ms: withinMs, everyMs: 200 })
  const code = readFileSync(done, 'utf8')
  if (code !== '0') throw new Error(`the packages could not be made: exit code ${code}`)
  return folder
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch {
    return false
  }
}
