import { basename, dirname, join } from 'node:path'
import type { FoundBackend } from '../../contract/found-backend.ts'
import type { ManagedSettings } from '../../contract/settings.ts'
import { findPython, type OwnPython } from './find-python.ts'
import { userArguments } from './user-arguments.ts'

/** A folder that holds a server, told by what lies in it. */
export interface Installation {
  readonly kind: FoundBackend['kind']
  readonly name: string
  readonly folder: string
}

/** Longer than the default: the first start after an update loads packages. */
const startupLimitS = 900

/** @param entries names in the folder @returns null where it is no server's */
export function recognise(folder: string, entries: ReadonlySet<string>): Installation | null {
  if (entries.has('main.py') && entries.has('comfy') && entries.has('nodes.py'))
    return { kind: 'comfyui', name: 'ComfyUI', folder }
  if (!entries.has('launch.py') || !entries.has('modules')) return null
  return { kind: 'sdapi', name: webuiName(folder, entries), folder }
}

function webuiName(folder: string, entries: ReadonlySet<string>): string {
  // SD.Next alone installs by a file of its own.
  if (entries.has('installer.py')) return 'SD.Next'
  if (/reforge/i.test(folder)) return 'reForge'
  return entries.has('modules_forge') ? 'Forge' : 'AUTOMATIC1111'
}

/** How it is started: by its own Python, not by a script that starts it again when it ends. */
export async function proposal(found: Installation, port: number, platform: NodeJS.Platform): Promise<FoundBackend> {
  const { kind, name, folder } = found
  const base = { kind, name, folder, url: `http://127.0.0.1:${port}` }
  const python = await findPython(folder, platform)
  if (python === null) {
    const script = kind === 'sdapi' ? (platform === 'win32' ? 'webui.bat' : 'webui.sh') : 'its own instructions'
    return {
      ...base,
      managed: null,
      why: `It has no Python of its own that can be run yet. Start it once by ${script}, then look again.`,
    }
  }
  const started = kind === 'comfyui' ? comfyui(folder, port, python) : await webui(found, port, python, platform)
  return {
    ...base,
    managed: { command: python.path, cwd: folder, startupLimitS, startAtLaunch: false, ...started.managed },
    why: started.why,
  }
}

type Started = { managed: Pick<ManagedSettings, 'args' | 'env'> & { cwd?: string }; why: string }

function comfyui(folder: string, port: number, { where }: OwnPython): Started {
  const args = ['--port', String(port), '--disable-auto-launch']
  if (!where.startsWith('python_embed'))
    return { managed: { args: ['main.py', ...args], env: {} }, why: `Started by the Python of its ${where}.` }
  // As run_nvidia_gpu.bat does.
  const program = join(basename(folder), 'main.py')
  return {
    managed: { args: ['-s', program, '--windows-standalone-build', ...args], cwd: dirname(folder), env: {} },
    why: `Started by the Python that came with it (${where}).`,
  }
}

async function webui(
  { name, folder }: Installation,
  port: number,
  python: OwnPython,
  platform: NodeJS.Platform,
): Promise<Started> {
  const own = await userArguments(folder, platform)
  // SD.Next's API is always on, and its --api wants a value.
  const args = ['launch.py', ...(name === 'SD.Next' ? [] : ['--api']), '--port', String(port), ...(own ?? [])]
  // Else it opens a browser at each start (A1 1.6, `auto_launch_browser`).
  const env: Record<string, string> = name === 'SD.Next' ? {} : { SD_WEBUI_RESTARTING: '1' }
  if (python.where.startsWith('system')) {
    env.SKIP_VENV = '1'
    env.GIT = join(dirname(folder), 'system', 'git', 'bin', 'git.exe')
  }
  const by = `Started by the Python of its ${python.where}, not by a script that would start it again.`
  const arguments_ =
    own === null ? ' Its COMMANDLINE_ARGS could not be read: add them.' : own.length > 0 ? ' With its own COMMANDLINE_ARGS.' : ''
  return { managed: { args, env }, why: by + arguments_ }
}
