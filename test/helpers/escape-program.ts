import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = (name: string) => fileURLToPath(new URL(`../fixtures/programs/${name}`, import.meta.url))

/** The fixture whose process trees get away: compiled where there is a C compiler, else in Python. @param folder takes the binary */
export function escapeProgram(folder: string): { command: string; args: string[]; processName: string } {
  chmodSync(folder, 0o755)
  const binary = join(folder, 'escape')
  if (spawnSync('cc', ['-O1', '-o', binary, source('escape.c')]).status === 0) {
    return { command: binary, args: [], processName: 'escape' }
  }
  const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  const command = (python.stdout ?? '').trim()
  if (python.status !== 0 || !command) throw new Error('the process tests need a C compiler (cc) or python3')
  return { command, args: ['-S', source('escape.py')], processName: basename(command).slice(0, 15) }
}
