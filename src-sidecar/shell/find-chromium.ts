import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

const linuxNames = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'microsoft-edge-stable',
]
const macApps = ['Google Chrome', 'Chromium', 'Microsoft Edge']
const windowsFiles = [
  'Google/Chrome/Application/chrome.exe',
  'Chromium/Application/chrome.exe',
  'Microsoft/Edge/Application/msedge.exe',
]

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Where browsers of Chromium's kind may be, best first. */
function candidates(env: Env, platform: NodeJS.Platform): string[] {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean)
  if (platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((root) => root !== undefined)
    return windowsFiles.flatMap((file) => roots.map((root) => join(root, file)))
  }
  if (platform === 'darwin') {
    const roots = ['/Applications', ...(env.HOME ? [join(env.HOME, 'Applications')] : [])]
    return macApps.flatMap((app) => roots.map((root) => join(root, `${app}.app/Contents/MacOS/${app}`)))
  }
  return linuxNames.flatMap((name) => folders.map((folder) => join(folder, name)))
}

/**
 * A browser of Chromium's kind (they alone have app windows): the one that CHROMIUM_BIN names, else the first that is
 * installed, else null.
 */
export function findChromium(env: Env, platform: NodeJS.Platform = process.platform): string | null {
  if (env.CHROMIUM_BIN) return isProgram(env.CHROMIUM_BIN) ? env.CHROMIUM_BIN : null
  return candidates(env, platform).find(isProgram) ?? null
}
