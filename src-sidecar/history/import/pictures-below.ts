import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { isPicture } from './read-picture.ts'

/**
 * All image files below a folder, in no order, without reading it all first.
 * @param onUnreadable is told of each folder below it that can't be read, such as the `lost+found` of a drive; the rest goes on
 * @throws where the folder itself can't be read
 */
export async function* picturesBelow(
  root: string,
  signal: AbortSignal,
  onUnreadable: (folder: string) => void,
): AsyncGenerator<string> {
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined && !signal.aborted; folder = folders.pop()) {
    const entries = await opendir(folder).catch((error) => {
      if (folder === root) throw error
      return null
    })
    if (entries === null) {
      onUnreadable(folder)
      continue
    }
    for await (const entry of entries) {
      if (signal.aborted) return
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && isPicture(entry.name)) yield path
    }
  }
}
