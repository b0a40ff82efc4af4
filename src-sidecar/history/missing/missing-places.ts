import { dirname } from 'node:path'
import type { MissingFiles, MissingPlace } from '../../contract/missing-files.ts'
import { presence } from './file-presence.ts'

const placesTold = 20

/**
 * Where these files have been: a folder that is gone is one place with all that was below it, be it a whole drive; one that is
 * there is a place by itself.
 * @param paths some at a time
 */
export async function missingPlaces(
  paths: AsyncIterable<readonly string[]>,
): Promise<Pick<MissingFiles, 'images' | 'places' | 'more'>> {
  const counts = new Map<string, number>()
  let images = 0
  for await (const some of paths)
    for (const path of some) {
      images++
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
    }
  const goneTop = topFinder()
  const places = new Map<string, MissingPlace>()
  for (const [folder, count] of counts) {
    const top = await goneTop(folder)
    const place = places.get(top ?? folder)
    places.set(top ?? folder, { folder: top ?? folder, isGone: top !== null, images: (place?.images ?? 0) + count })
  }
  const most = [...places.values()].sort((a, b) => b.images - a.images || (a.folder < b.folder ? -1 : 1))
  return { images, places: most.slice(0, placesTold), more: Math.max(0, most.length - placesTold) }
}

/** Finds the highest folder above this one, or itself, that is gone; null where it is there. Each is looked at once. */
function topFinder(): (folder: string) => Promise<string | null> {
  const known = new Map<string, Promise<string | null>>()
  const look = async (folder: string): Promise<string | null> => {
    if ((await presence(folder)) !== false) return null
    const parent = dirname(folder)
    return (parent === folder ? null : await top(parent)) ?? folder
  }
  const top = (folder: string): Promise<string | null> => {
    const found = known.get(folder) ?? look(folder)
    known.set(folder, found)
    return found
  }
  return top
}
