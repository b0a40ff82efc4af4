import type { Image } from '../../src-sidecar/contract/image.ts'

const newerFirst = (a: Image, b: Image): number => b.createdAtMs - a.createdAtMs || b.id - a.id

/** Newest first, each once. */
export function withImages(images: Image[], more: Image[]): Image[] {
  const known = new Set(images.map((image) => image.id))
  const fresh = more.filter((image) => !known.has(image.id))
  return fresh.length ? [...images, ...fresh].sort(newerFirst) : images
}

/** In the order in which they come, each once. */
export function withNext(images: Image[], next: Image[]): Image[] {
  const known = new Set(images.map((image) => image.id))
  return [...images, ...next.filter((image) => !known.has(image.id))]
}

/** After a reconnect: keep what was loaded if the newest page reaches it, else there would be a gap. */
export function withNewest(images: Image[], newest: Image[]): { images: Image[]; kept: boolean } {
  const oldest = newest.at(-1)
  const kept = oldest !== undefined && images.some((image) => newerFirst(image, oldest) <= 0)
  return { images: kept ? withImages(images, newest) : newest, kept }
}
