import { open, stat } from 'node:fs/promises'
import { basename, dirname, relative, sep } from 'node:path'
import type { Image } from '../../contract/image.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { pictureTexts, settingsOfPicture } from '../picture-settings.ts'

/** What A1, ComfyUI and StableNew write into a PNG stands before its picture data. */
const headBytes = 1024 * 1024
const makers = { a1111: 'AUTOMATIC1111', comfyui: 'ComfyUI' } as const

export type ReadPicture = Pick<
  Image,
  | 'path'
  | 'width'
  | 'height'
  | 'sizeBytes'
  | 'seed'
  | 'checkpoint'
  | 'backend'
  | 'durationMs'
  | 'parameters'
  | 'createdAtMs'
  | 'packName'
  | 'recipe'
>

export const isPicture = (name: string): boolean => /\.(png|jpe?g|webp)$/i.test(name) && !name.includes('.stablenew-part')

/**
 * An image as its file tells of it; what it doesn't say is `unknown`, 1 step, CFG scale 0.
 * @param root the folder that is imported
 * @throws where it is no picture or can't be read
 */
export async function readPicture(path: string, root: string): Promise<ReadPicture> {
  const { size, mtimeMs } = await stat(path)
  const bytes = await readBytes(path, /\.png$/i.test(path) ? Math.min(size, headBytes) : size)
  const { width, height } = await dimensions(bytes)
  const said = settingsOfPicture(bytes)
  const settings = said?.settings ?? {}
  const side = (pixels: number) => Math.min(8192, Math.max(64, pixels))
  const recipe: Recipe = {
    version: 1,
    samplerName: 'unknown',
    scheduler: 'Automatic',
    steps: 1,
    cfgScale: 0,
    width: side(width),
    height: side(height),
    ...settings,
    prompt: said?.prompt ?? '',
    negativePrompt: said?.negativePrompt ?? '',
    seed: said?.seed ?? 0,
    images: 1,
  }
  const parameters = pictureTexts(bytes).parameters ?? ''
  const maker = /\bVersion: StableNew\b/.test(parameters) ? 'StableNew' : said && makers[said.from]
  return {
    path,
    width,
    height,
    sizeBytes: size,
    seed: recipe.seed,
    checkpoint: settings.checkpoint ?? '',
    backend: maker ?? 'unknown',
    durationMs: 0,
    parameters,
    createdAtMs: Math.trunc(mtimeMs),
    packName: packOf(path, root),
    recipe,
  }
}

async function readBytes(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(bytes)
    const { bytesRead } = await file.read(buffer, 0, bytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** PNG, third edition, 11.2.1; the others by sharp. */
async function dimensions(bytes: Buffer): Promise<{ width: number; height: number }> {
  if (bytes.length > 24 && bytes.toString('latin1', 1, 4) === 'PNG' && bytes.toString('latin1', 12, 16) === 'IHDR')
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
  const { default: sharp } = await import('sharp')
  const { width, height } = await sharp(bytes).metadata()
  return { width, height }
}

/** The folder that it lies in, where that is no mere date. */
function packOf(path: string, root: string): string {
  const names = [basename(root), ...relative(root, dirname(path)).split(sep)].filter(Boolean)
  return names.findLast((name) => !/^\d{4}-?\d\d-?\d\d/.test(name)) ?? 'imported'
}
