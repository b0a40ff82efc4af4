import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { decodeText } from './decode-text.ts'
import type { Wildcards } from './expand/fill-template.ts'
import type { LoadedPack, OpenPack } from './load-pack.ts'
import { readBounded } from './read-bounded.ts'

const maxListBytes = 16 * 2 ** 20
const maxLists = 50_000
const wildcardName = /__((?:(?!__)[\p{L}\p{N}_./-])+)__/gu

/**
 * Wildcard lists in folders: `colour.txt` is `__colour__`, `people/hair.txt` is `__people/hair__`; a value a line, blank
 * lines and `#` comments left out. Only lists that are asked for are read, and the lists that their values name.
 * @param folders of two lists of one name, that of the first folder counts
 */
export async function readWildcards(folders: readonly string[], texts: Iterable<string>): Promise<Wildcards> {
  const files = await listFiles(folders)
  // All names are known, so that a slip of the keys can be told; what nothing names stays unread.
  const lists = new Map<string, readonly string[]>([...files.keys()].map((name) => [name, []]))
  const read = new Set<string>()
  const open = namesIn(texts)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const path = files.get(name)
    if (path === undefined || read.has(name)) continue
    read.add(name)
    const values = await readList(path)
    lists.set(name, values)
    open.push(...namesIn(values))
  }
  return lists
}

/** @param folders as for `readWildcards` */
export const withWildcards = async (pack: LoadedPack, folders: readonly string[]): Promise<OpenPack> => ({
  ...pack,
  wildcards: await readWildcards(folders, textsOf(pack)),
})

/** Every text of a pack that may name a wildcard list. */
function* textsOf({ content }: LoadedPack): Generator<string> {
  const { prompts, matrix, searchReplace, wildcards } = content
  for (const { prompt, negativePrompt } of prompts) {
    yield prompt
    yield negativePrompt
  }
  for (const { values } of matrix?.slots ?? []) yield* values
  if (matrix?.basePrompt) yield matrix.basePrompt.text
  for (const { replacements } of searchReplace?.rules ?? []) yield* replacements
  for (const values of wildcards.values()) yield* values
}

/** Each name once. */
function namesIn(texts: Iterable<string>): string[] {
  const names = new Set<string>()
  for (const text of texts) {
    if (!text.includes('__')) continue
    for (const match of text.matchAll(wildcardName)) names.add(match[1]!)
  }
  return [...names]
}

async function listFiles(roots: readonly string[]): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const root of roots) {
    const folders = [root]
    // One that can't be read has no lists, which keeps nobody from those of the others. Links to folders are not followed, so this ends.
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        const path = join(folder, entry.name)
        if (entry.isDirectory()) folders.push(path)
        else if (path.toLowerCase().endsWith('.txt')) {
          const name = relative(root, path).split(sep).join('/').slice(0, -'.txt'.length)
          if (!files.has(name) && files.size < maxLists) files.set(name, path)
        }
      }
    }
  }
  return files
}

/** Empty where it can't be read: the finding then says that the list is empty. */
async function readList(path: string): Promise<string[]> {
  const bytes = await readBounded(path, maxListBytes).catch(() => null)
  const text = bytes && decodeText(bytes)
  if (typeof text !== 'string') return []
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}
