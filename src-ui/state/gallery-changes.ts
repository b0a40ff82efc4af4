import type { Image } from '../../src-sidecar/contract/image.ts'

/** Newest first, each once. */
export function withImages(images: Image[], more: Image[]): Image[] {
  const known = new Set(images.map((image) => image.id))
  const fresh = more.filter((image) => !known.has(image.id))
  return fresh.length ? [...images, ...fresh].sort((a, b) => b.id - a.id) : images
}

/** After a reconnect: keep what was loaded if the newest page reaches it, else there would be a gap. */
export function withNewest(images: Image[], newest: Image[]): { images: Image[]; kept: boolean } {
  const oldestOfPage = newest.at(-1)?.id
  const kept = oldestOfPage !== undefined && images.some((image) => image.id >= oldestOfPage)
  return { images: kept ? withImages(images, newest) : newest, kept }
}
