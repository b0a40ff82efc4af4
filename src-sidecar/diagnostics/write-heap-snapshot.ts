import { chmod, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeHeapSnapshot as write } from 'node:v8'
import type { HeapSnapshot } from '../contract/diagnostics.ts'
import { AppError, asError } from '../errors/app-error.ts'

const kept = 3
const isSnapshot = (name: string) => /^heap-.*\.heapsnapshot$/.test(name)

/**
 * Writes V8's whole heap into the folder, for a browser's developer tools; the event loop stands still meanwhile. Readable
 * by its owner alone, for the token and prompts are in it; the latest three are kept.
 * @throws AppError `disk`
 */
export async function writeHeapSnapshot(folder: string, nowMs: number): Promise<HeapSnapshot> {
  const stamp = new Date(nowMs).toISOString().replaceAll(':', '-')
  const path = join(folder, `heap-${stamp}.heapsnapshot`)
  const began = performance.now()
  try {
    write(path)
    const ms = Math.round(performance.now() - began)
    await chmod(path, 0o600)
    const old = (await readdir(folder)).filter(isSnapshot).sort().slice(0, -kept)
    for (const name of old) await rm(join(folder, name), { force: true })
    return { path, bytes: (await stat(path)).size, ms }
  } catch (cause) {
    throw new AppError('disk', `The heap snapshot could not be written: ${asError(cause).message}`, { cause })
  }
}
