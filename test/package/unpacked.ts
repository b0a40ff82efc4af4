import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { extract } from 'zip-lib'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { builtPackages } from './built-packages.ts'

/** The package, unpacked into an empty folder at a path with spaces and other letters; nobody may write to it. */
export async function unpackedPackage(target: 'linux-x64' | 'win-x64' = 'linux-x64'): Promise<string> {
  const from = await builtPackages()
  const to = openFolder('Stäble Nëw 安定')
  const folderName = `stablenew-${target}`
  const folder = join(to, folderName)
  if (target === 'win-x64') await extract(join(from, `${folderName}.zip`), to)
  else execFileSync('tar', ['-xf', join(from, `${folderName}.tar.xz`), '-C', to])
  for (const { parentPath, name } of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(parentPath, name)
    chmodSync(path, statSync(path).mode & 0o555)
  }
  chmodSync(folder, 0o555)
  return folder
}

/** A folder that other users may look into. */
function openFolder(name: string): string {
  const folder = tempDir(name)
  chmodSync(folder, 0o755)
  return folder
}

/** A person with a home of their own, without Node; another user of the system where the test may choose. */
export interface Person {
  readonly home: string
  readonly env: Record<string, string>
  readonly prefix: readonly string[]
}

const canChoose = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0
let people = 0

export function person(): Person {
  const uid = 61_000 + people++
  const home = tempDir('home')
  if (canChoose) chownSync(home, uid, uid)
  const bin = join(openFolder('bin'), 'bin')
  mkdirSync(bin)
  const wanted = ['sh', 'readlink', 'unshare', 'setpriv', 'sleep']
  for (const name of wanted) {
    const found = (process.env.PATH ?? '').split(delimiter).find((folder) => existsSync(join(folder, name)))
    if (found) symlinkSync(join(found, name), join(bin, name))
  }
  const prefix = canChoose ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'] : []
  return { home, env: { HOME: home, PATH: bin, TMPDIR: home }, prefix }
}

export interface RunningPackage {
  readonly child: ChildProcess
  readonly ended: Promise<number | string>
  readonly output: () => string
}

/** Starts the package's `stablenew` as that person. */
export function startPackage(folder: string, { prefix, env, home }: Person, ...args: string[]): RunningPackage {
  const [command = '', ...line] = [...prefix, join(folder, 'stablenew'), ...args]
  const child = spawn(command, line, {
    cwd: home,
    // Found by the path of the test, run with that of the person.
    env: prefix.length > 0 ? { ...env, PATH: `${env.PATH}` } : env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const ended = once(child, 'exit').then(([code, signal]): number | string => code ?? signal)
  return { child, ended, output: () => output }
}

/** Its API, once it is ready. */
export async function apiOf({ output, ended }: RunningPackage) {
  let over = false
  void ended.then(() => {
    over = true
  })
  const url = await waitFor(
    () => {
      if (over) throw new Error(`it ended early: ${output()}`)
      return /StableNew is ready: (\S+)/.exec(output())?.[1]
    },
    'the package to be ready',
    { ms: 60_000 },
  )
  const { origin, searchParams } = new URL(url)
  const headers = { authorization: `Bearer ${searchParams.get('token')}`, 'content-type': 'application/json' }
  const ask = async (path: string, body?: object): Promise<Response> => {
    const answer = await fetch(origin + path, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) })
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`)
    return answer
  }
  return { ask, get: async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T }
}

export const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8')) as T
