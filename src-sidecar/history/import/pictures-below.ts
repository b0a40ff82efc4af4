import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { isPicture } from './read-picture.ts'

/** All image files below a folder, in no order, without reading it all first. @throws where a folder can't be read */
export async function* picturesBelow(root: string, signal: AbortSignal): AsyncGenerator<string> {
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined && !signal.aborted; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      if (signal.aborted) return
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && isPicture(entry.name)) yield path
    }
  }
}
