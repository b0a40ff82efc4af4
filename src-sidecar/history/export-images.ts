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

/** A row for each image, with a heading; RFC 4180, in UTF-8 with the mark that spreadsheets know it by. */
export function* imagesAsCsv(batches: ImageBatches): Generator<string> {
  yield `\ufeff${columns.map(([name]) => name).join(',')}\r\n`
  for (const images of batches)
    yield images.map((image) => `${columns.map(([, value]) => csvField(value(image))).join(',')}\r\n`).join('')
}

/** A spreadsheet takes what begins with = + - @ for a formula: such text gets an apostrophe. */
function csvField(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** An array of all that is known of each image. */
export function* imagesAsJson(batches: ImageBatches): Generator<string> {
  let before = '[\n'
  for (const images of batches)
    for (const image of images) {
      yield before + JSON.stringify(image)
      before = ',\n'
    }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/** A ZIP with the files, `manifest.json` and `manifest.csv`. A file that is gone is left out; the manifests name it. */
export function imagesAsZip(batches: () => ImageBatches): ReadableStream<Uint8Array> {
  return makeZip(zipEntries(batches))
}

async function* zipEntries(batches: () => ImageBatches) {
  const names = new Set<string>()
  for (const images of batches())
    for (const image of images) {
      const stats = await stat(image.path).catch(() => null)
      if (stats === null) continue
      const name = freeName(names, image)
      const input = Readable.toWeb(createReadStream(image.path)) as ReadableStream<Uint8Array>
      yield { name, lastModified: stats.mtime, size: stats.size, input }
    }
  const now = new Date()
  yield { name: 'manifest.json', lastModified: now, input: textStream(imagesAsJson(batches())) }
  yield { name: 'manifest.csv', lastModified: now, input: textStream(imagesAsCsv(batches())) }
}

export const textStream = (parts: Iterable<string>): ReadableStream<Uint8Array> =>
  Readable.toWeb(
    Readable.from(parts, { objectMode: true }).map((part: string) => Buffer.from(part)),
  ) as ReadableStream<Uint8Array>

/** Two folders may have files of one name. */
function freeName(names: Set<string>, { fileName, id }: Image): string {
  const name = names.has(fileName) ? fileName.replace(/(\.[^.]+)?$/, `-${id}$1`) : fileName
  names.add(name)
  return name
}
