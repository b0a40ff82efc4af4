export interface DecodedPicture {
  readonly png: Uint8Array
  readonly width: number
  readonly height: number
}

const loadDecoder = () => import('sharp')

/** Costs start-up time and memory, so it is loaded while the first picture is being made. That it can't be is told by the first picture. */
export const preloadDecoder = (): void => void loadDecoder().catch(() => {})

/**
 * Decodes the whole picture, so that a truncated one is found here and not in the gallery. A PNG stays as it is, with what
 * the server wrote into it; other formats become PNG. @throws what sharp throws where it is no picture.
 */
export async function decodedPicture(bytes: Buffer): Promise<DecodedPicture> {
  const { default: sharp } = await loadDecoder()
  const picture = sharp(bytes, { failOn: 'error' })
  const { format, width, height } = await picture.metadata()
  await picture.stats()
  return { png: format === 'png' ? bytes : await picture.png().toBuffer(), width, height }
}
