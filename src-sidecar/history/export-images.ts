import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { makeZip } from 'client-zip'
import type { Image } from '../contract/image.ts'
import { lorasOf } from './search/image-terms.ts'

/** Images, some at a time. */
export type ImageBatches = Iterable<readonly Image[]>

const columns: readonly [string, (image: Image) => string | number | null][] = [
  ['id', ({ id }) => id],
  ['file', ({ fileName }) => fileName],
  ['path', ({ path }) => path],
  ['created', ({ createdAtMs }) => new Date(createdAtMs).toISOString()],
  ['pack', ({ packName }) => packName],
  ['row', ({ promptIndex }) => (promptIndex === null ? null : promptIndex + 1)],
  ['prompt', ({ recipe }) => recipe.prompt],
  ['negative prompt', ({ recipe }) => recipe.negativePrompt],
  ['checkpoint', ({ checkpoint }) => checkpoint],
  ['loras', ({ recipe }) => lorasOf(recipe.prompt).join(' ')],
  ['sampler', ({ recipe }) => recipe.samplerName],
  ['scheduler', ({ recipe }) => recipe.scheduler],
  ['steps', ({ recipe }) => recipe.steps],
  ['cfg scale', ({ recipe }) => recipe.cfgScale],
  ['seed', ({ seed }) => seed],
  ['width', ({ width }) => width],
  ['height', ({ height }) => height],
  ['rating', ({ rating }) => rating],
  ['tags', ({ tags }) => tags.join(' ')],
  ['backend', ({ backend }) => backend],
  ['duration ms', ({ durationMs }) => durationMs],
]

/** Names of exported files: two folders may have files of one name, and not every disk tells A from a. */
export class ExportedNames {
  readonly #taken = new Set<string>(['manifest.json', 'manifest.csv'])
  readonly #names = new Map<number, string>()

  take({ fileName, id }: Pick<Image, 'fileName' | 'id'>): string {
    let name = fileName
    for (let number = 0; this.#taken.has(name.toLowerCase()); number++)
      name = fileName.replace(/(\.[^.]+)?$/, `-${id}${number === 0 ? '' : `-${number}`}$1`)
    this.#taken.add(name.toLowerCase())
    this.#names.set(id, name)
    return name
  }

  /** Null where the image has no file in the export. */
  of({ id }: Pick<Image, 'id'>): string | null {
    return this.#names.get(id) ?? null
  }
}

/**
 * A row for each image, with a heading; RFC 4180, in UTF-8 with the mark that spreadsheets know it by.
 * @param names of the files beside it
 */
export function* imagesAsCsv(batches: ImageBatches, names?: ExportedNames): Generator<string> {
  const own: typeof columns = names ? [...columns, ['exported as', (image) => names.of(image)]] : columns
  yield `\ufeff${own.map(([name]) => name).join(',')}\r\n`
  for (const images of batches)
    yield images.map((image) => `${own.map(([, value]) => csvField(value(image))).join(',')}\r\n`).join('')
}

/** A spreadsheet takes what begins with = + - @ for a formula: such text gets an apostrophe. */
function csvField(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** An array of all that is known of each image. @param names of the files beside it */
export function* imagesAsJson(batches: ImageBatches, names?: ExportedNames): Generator<string> {
  let before = '[\n'
  for (const images of batches)
    for (const image of images) {
      yield before + JSON.stringify(names ? { ...image, exportedAs: names.of(image) } : image)
      before = ',\n'
    }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/** A ZIP with the files, `manifest.json` and `manifest.csv`. A file that is gone is left out; the manifests name it. */
export function imagesAsZip(batches: () => ImageBatches): ReadableStream<Uint8Array> {
  return makeZip(zipEntries(batches))
}

async function* zipEntries(batches: () => ImageBatches) {
  const names = new ExportedNames()
  for (const images of batches())
    for (const image of images) {
      const stats = await stat(image.path).catch(() => null)
      if (stats === null) continue
      const name = names.take(image)
      const input = Readable.toWeb(createReadStream(image.path)) as ReadableStream<Uint8Array>
      yield { name, lastModified: stats.mtime, size: stats.size, input }
    }
  const now = new Date()
  yield { name: 'manifest.json', lastModified: now, input: textStream(imagesAsJson(batches(), names)) }
  yield { name: 'manifest.csv', lastModified: now, input: textStream(imagesAsCsv(batches(), names)) }
}

export const textStream = (parts: Iterable<string>): ReadableStream<Uint8Array> =>
  Readable.toWeb(
    Readable.from(parts, { objectMode: true }).map((part: string) => Buffer.from(part)),
  ) as ReadableStream<Uint8Array>
