import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { FoundBackend, FoundBackends } from '../contract/found-backend.ts'
import { type Installation, proposal, recognise } from './installed/installed-server.ts'

/** How many levels below a place are looked at; in folders with a telling name, more. */
const usualDepth = 2
const tellingDepth = 4
const telling =
  /stable|diffusion|webui|comfy|forge|sdnext|automatic|stability|packages|pinokio|portable|^(sd|ai|api|app|data|apps|tools)$/i
/** Large, and never holding a server. Names that begin with a dot or a dollar are passed over too. */
const passedOver = new Set([
  'node_modules',
  'site-packages',
  'Windows',
  'AppData',
  'Library',
  'ProgramData',
  'models',
  'venv',
  'steamapps',
  'proc',
  'sys',
])
const mostFolders = 5000

export interface FindOptions {
  /** Folders to look below, best first; see `usualPlaces`. */
  readonly roots: readonly string[]
  readonly platform: NodeJS.Platform
  /** Whether somebody listens at this port of 127.0.0.1. */
  readonly isTaken: (port: number) => Promise<boolean>
  /** Ends the search early; what was found until then is the answer. */
  readonly signal: AbortSignal
}

/**
 * Finds the servers that are installed below some folders, and how each is best started. Only reads names, and the file with
 * the user's arguments. Never throws: what can't be read is passed over.
 */
export async function findInstalled(options: FindOptions): Promise<FoundBackends> {
  const { platform, isTaken } = options
  const { installations, complete } = await search(options)
  const given = new Set<number>()
  const found: FoundBackend[] = []
  for (const installation of installations) {
    const port = await portFor(installation, given, isTaken)
    const proposed = await proposal(installation, port, platform)
    if (proposed.managed !== null) given.add(port)
    found.push(proposed)
  }
  // What can be used comes first.
  found.sort((a, b) => Number(a.managed === null) - Number(b.managed === null))
  return { found, complete }
}

/** Level by level, so that what lies near comes before the time is up. */
async function search({ roots, signal }: FindOptions): Promise<{ installations: Installation[]; complete: boolean }> {
  const seen = new Set<string>()
  const installations: Installation[] = []
  let level = roots.map((folder) => ({ folder, deepest: usualDepth }))
  for (let below = 1; level.length > 0; below++) {
    const next: typeof level = []
    for (const { folder, deepest } of level) {
      if (signal.aborted || seen.size >= mostFolders) return { installations, complete: false }
      // By its real path, so that no folder is looked at twice and a circle of links comes to an end.
      const real = await realpath(folder).catch(() => null)
      if (real === null || seen.has(real)) continue
      seen.add(real)
      const entries = await readdir(real, { withFileTypes: true }).catch(() => [])
      const installation = recognise(real, new Set(entries.map(({ name }) => name)))
      if (installation !== null) {
        installations.push(installation)
        continue
      }
      for (const entry of entries) {
        if (!(entry.isDirectory() || entry.isSymbolicLink()) || /^[.$]/.test(entry.name) || passedOver.has(entry.name)) continue
        const most = telling.test(entry.name) ? tellingDepth : deepest
        if (below <= most) next.push({ folder: join(real, entry.name), deepest: most })
      }
    }
    level = next
  }
  return { installations, complete: true }
}

async function portFor({ kind }: Installation, given: ReadonlySet<number>, isTaken: FindOptions['isTaken']): Promise<number> {
  const usual = kind === 'sdapi' ? 7860 : 8188
  for (let port = usual; port < usual + 30; port++) if (!given.has(port) && !(await isTaken(port))) return port
  return usual
}
