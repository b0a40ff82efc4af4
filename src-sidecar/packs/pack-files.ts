import { extname } from 'node:path'

const endings = ['.txt', '.tsv', '.json']

/** The ending that says how a file is read: `.txt`, `.tsv`, `.json`, in small letters. */
export const endingOf = (fileName: string): string => extname(fileName).toLowerCase()

export const isPackFile = (fileName: string): boolean => endings.includes(endingOf(fileName))

/** `my pack.v2.txt` → `my pack.v2`. */
export const stemOf = (fileName: string): string => fileName.slice(0, fileName.length - extname(fileName).length)

/** The file that makes a pair with this one, where there is one: `{name}.txt` and `{name}.json`. */
export function partnerOf(fileName: string, all: Iterable<string>): string | undefined {
  const wanted = { '.txt': '.json', '.json': '.txt' }[endingOf(fileName)]
  const stem = stemOf(fileName)
  for (const other of all) if (endingOf(other) === wanted && stemOf(other) === stem) return other
  return undefined
}

/** The packs among the files of a folder, each as its files, by name; the file that names the pack comes first. */
export function packsAmong(fileNames: readonly string[]): string[][] {
  const names = fileNames.filter(isPackFile).sort((a, b) => a.localeCompare(b))
  const texts = new Map(names.filter((name) => endingOf(name) === '.txt').map((name) => [stemOf(name), name]))
  const jsons = new Map(names.filter((name) => endingOf(name) === '.json').map((name) => [stemOf(name), name]))
  return names.flatMap((name) => {
    const stem = stemOf(name)
    if (endingOf(name) === '.json' && texts.has(stem)) return []
    const partner = endingOf(name) === '.txt' && texts.get(stem) === name ? jsons.get(stem) : undefined
    return [partner === undefined ? [name] : [name, partner]]
  })
}
