import { access, constants, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A Python that an installation brings along. */
export interface OwnPython {
  /** Absolute. */
  readonly path: string
  /** For people: `venv`. */
  readonly where: string
}

/**
 * The Python that a server was installed with: in its virtual environment, or beside it where it came as a whole (ComfyUI's
 * `python_embeded`, `system/python` of the WebUIs' packages).
 * @param folder the server's own @returns null where there is none that can be run
 */
export async function findPython(folder: string, platform: NodeJS.Platform): Promise<OwnPython | null> {
  const inside = platform === 'win32' ? join('Scripts', 'python.exe') : join('bin', 'python')
  const places = ['venv', '.venv', 'env'].map((where) => ({ where, path: join(folder, where, inside) }))
  const parent = dirname(folder)
  // ComfyUI spells it so.
  for (const where of ['python_embeded', 'python_embedded']) places.push({ where, path: join(parent, where, 'python.exe') })
  places.push({ where: join('system', 'python'), path: join(parent, 'system', 'python', 'python.exe') })
  for (const place of places) if (await isProgram(place.path, platform)) return place
  return null
}

/** Follows links: a virtual environment's Python is one, and leads nowhere after the system's was replaced. */
async function isProgram(path: string, platform: NodeJS.Platform): Promise<boolean> {
  try {
    if (platform !== 'win32') await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
