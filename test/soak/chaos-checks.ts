import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'

interface Row {
  readonly path: string
  readonly seed: number
  readonly size_bytes: number
  readonly created_at_ms: number
}

interface Request {
  readonly time: string
  readonly path: string
  readonly seed: number | null
}

/**
 * What must be true of a data folder when all is done.
 * @param seeds of all images that were asked for; each seed belongs to one image.
 * @returns how many images were asked for twice, and what is wrong
 */
export function checkResults(dataDir: string, requestLog: string, seeds: readonly number[]): { again: number; wrong: string[] } {
  const rows = readRows(join(dataDir, 'stablenew.db'))
  const wrong = [...rows.wrong, ...checkFiles(join(dataDir, 'images'), rows.images)]
  const saved = new Map(rows.images.map((row) => [row.seed, row]))
  if (saved.size !== rows.images.length) wrong.push('an image is in the history twice')
  for (const seed of seeds) if (!saved.has(seed)) wrong.push(`image ${seed} is missing`)
  if (rows.images.length !== seeds.length) wrong.push(`${rows.images.length} images in place of ${seeds.length}`)

  const asked = new Map<number, number>()
  for (const { time, seed } of readRequests(requestLog)) {
    if (seed === null) continue
    asked.set(seed, (asked.get(seed) ?? 0) + 1)
    const row = saved.get(seed)
    if (row && Date.parse(time) > row.created_at_ms) wrong.push(`image ${seed} was saved already and was made again`)
  }
  const again = [...asked.values()].reduce((sum, count) => sum + count - 1, 0)
  // One kill takes one running image with it at most.
  // The one that was being saved, and the one that was being made meanwhile.
  if (again > 2) wrong.push(`${again} images were made again after one kill`)
  for (const seed of seeds) if (!asked.has(seed)) wrong.push(`image ${seed} was never asked for`)
  return { again, wrong }
}

function readRows(path: string): { images: Row[]; wrong: string[] } {
  const database = new BetterSqlite3(path)
  try {
    const wrong = []
    const integrity = database.pragma('integrity_check', { simple: true })
    if (integrity !== 'ok') wrong.push(`integrity_check: ${integrity}`)
    const open = database.prepare(`SELECT id, state FROM jobs WHERE state <> 'completed'`).all() as {
      id: number
      state: string
    }[]
    for (const { id, state } of open) wrong.push(`job ${id} is ${state}`)
    return { images: database.prepare('SELECT * FROM images').all() as Row[], wrong }
  } finally {
    database.close()
  }
}

/** Each row has its whole file, and no other file is there. */
function checkFiles(folder: string, images: readonly Row[]): string[] {
  const wrong = []
  const paths = new Set(images.map(({ path }) => path))
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !paths.delete(path)) wrong.push(`a file without a row: ${entry.name}`)
  }
  for (const path of paths) wrong.push(`a row without a file: ${path}`)
  for (const { path, size_bytes } of images) {
    if (!paths.has(path) && statSync(path).size !== size_bytes) wrong.push(`not whole: ${path}`)
  }
  return wrong
}

function readRequests(file: string): Request[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line): Request => JSON.parse(line)).filter(({ path }) => path.startsWith('/sdapi/v1/txt2img'))
}
