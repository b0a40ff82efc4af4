import { settingsOfPromptGraph } from '../backends/comfyui/read-prompt-graph.ts'
import { settingsOfInfotext } from '../backends/read-infotext.ts'
import type { PictureSettings } from '../contract/picture-settings.ts'
import { exifOf, readExif } from './exif-comment.ts'
import { readPngText } from './png-text.ts'

/** The texts in which programs write how a picture was made; null where there is none. */
export interface PictureTexts {
  /** A1's infotext. */
  readonly parameters: string | null
  /** ComfyUI's graph in API format. */
  readonly graph: string | null
}

/**
 * The texts of a PNG, JPEG or WebP: its `parameters` and `prompt` chunks, or the EXIF UserComment that A1 writes and the
 * "prompt:…" of ComfyUI's WebP. Never throws: what is no such picture has none.
 */
export function pictureTexts(picture: Buffer): PictureTexts {
  const png = (keyword: string) => {
    try {
      return readPngText(picture, keyword)
    } catch {
      return null
    }
  }
  const exif = exifOf(picture)
  const said = exif && readExif(exif)
  const graph = said?.texts.find((text) => /^prompt:/i.test(text))?.slice('prompt:'.length)
  return { parameters: png('parameters') ?? said?.comment ?? null, graph: png('prompt') ?? graph ?? null }
}

/** How a picture was made, as A1, ComfyUI or StableNew wrote it into the file; null where it does not say. Never throws. */
export function settingsOfPicture(picture: Buffer): PictureSettings | null {
  const { parameters, graph } = pictureTexts(picture)
  return (parameters && settingsOfInfotext(parameters)) || (graph && settingsOfPromptGraph(graph)) || null
}
