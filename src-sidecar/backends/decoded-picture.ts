export interface DecodedPicture {
  readonly png: Uint8Array
  readonly width: number
  readonly height: number
}

/**
 * Decodes the whole picture, so that a truncated one is found here and not in the gallery. A PNG stays as it is, with what
 * the server wrote into it; other formats become PNG. @throws what sharp throws where it is no picture.
 */
export async function decodedPicture(bytes: Buffer): Promise<DecodedPicture> {
  // Loaded with the first picture: it costs start-up time and memory.
  const { default: sharp } = await import('sharp')
  const picture = sharp(bytes, { failOn: 'error' })
  const { format, width, height } = await picture.metadata()
  await picture.stats()
  return { png: format === 'png' ? bytes : await picture.png().toBuffer(), width, height }
}
