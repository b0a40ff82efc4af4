import type { Recipe } from '../contract/recipe.ts'
import { exifWithComment, maxJpegExifBytes, withJpegExif, withWebpExif } from './exif-comment.ts'
import { withPngText } from './png-text.ts'

export const defaultQuality = 90

export interface EncodedImage {
  readonly bytes: Uint8Array
  /** With its dot. */
  readonly extension: '.png' | '.jpg' | '.webp'
}

/**
 * The bytes of an image's file, with the infotext where A1 writes it: PNG in `parameters`, JPEG and WebP in the UserComment of the
 * EXIF. The EXIF of a JPEG takes some 32,000 characters; a longer text is left out of it.
 */
export async function encodedImage(
  { png, width, height }: { png: Uint8Array; width: number; height: number },
  { fileFormat = 'png', fileQuality: quality = defaultQuality }: Pick<Recipe, 'fileFormat' | 'fileQuality'>,
  parameters: string,
): Promise<EncodedImage> {
  if (fileFormat === 'png') return { bytes: withPngText(png, 'parameters', parameters), extension: '.png' }
  const { default: sharp } = await import('sharp')
  const exif = exifWithComment(parameters)
  if (fileFormat === 'webp') {
    const webp = await sharp(png).webp({ quality }).toBuffer()
    return { bytes: withWebpExif(webp, exif, { width, height }), extension: '.webp' }
  }
  // Transparent pictures lie on white, as elsewhere.
  const jpeg = await sharp(png).flatten({ background: '#fff' }).jpeg({ quality, mozjpeg: false }).toBuffer()
  return { bytes: exif.length > maxJpegExifBytes ? jpeg : withJpegExif(jpeg, exif), extension: '.jpg' }
}
