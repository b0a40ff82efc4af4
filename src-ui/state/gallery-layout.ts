import { dayName } from './format.ts'

/** Rows of equal height that fill the width, as on a contact sheet, under a heading for each day or what else they are ordered by. */
export interface Tile<T> {
  image: T
  row: number
  x: number
  y: number
  width: number
  height: number
}
export interface GalleryLayout<T> {
  tiles: Tile<T>[]
  headings: { name: string; y: number }[]
  height: number
}
export interface Laid {
  width: number
  height: number
  createdAtMs: number
}

export const headingHeight = 40

export function galleryLayout<T extends Laid>(
  images: T[],
  width: number,
  rowHeight: number,
  gap: number,
  nowMs: number,
  headingOf?: (image: T) => string,
): GalleryLayout<T> {
  const layout: GalleryLayout<T> = { tiles: [], headings: [], height: 0 }
  let row: T[] = []
  let rowNumber = 0
  let ratios = 0
  let last: number | string | undefined

  const endRow = (full: boolean) => {
    if (!row.length) return
    const free = width - gap * (row.length - 1)
    // The last row of a day keeps the usual height instead of blowing up one lonely image.
    const height = full ? free / ratios : Math.min(rowHeight, free / ratios)
    let x = 0
    for (const image of row) {
      const tileWidth = (image.width / image.height) * height
      layout.tiles.push({ image, row: rowNumber, x, y: layout.height, width: tileWidth, height })
      x += tileWidth + gap
    }
    layout.height += height + gap
    row = []
    rowNumber++
    ratios = 0
  }

  for (const image of images) {
    const group = headingOf ? headingOf(image) : new Date(image.createdAtMs).setHours(0, 0, 0, 0)
    if (group !== last) {
      endRow(false)
      layout.headings.push({ name: headingOf ? String(group) : dayName(image.createdAtMs, nowMs), y: layout.height })
      layout.height += headingHeight
      last = group
    }
    row.push(image)
    ratios += image.width / image.height
    if (ratios * rowHeight + gap * (row.length - 1) >= width) endRow(true)
  }
  endRow(false)
  return layout
}

/** The part that reaches into [top, bottom]; tiles are in reading order, so y never falls. */
export function tilesBetween<T>(tiles: Tile<T>[], top: number, bottom: number): Tile<T>[] {
  let low = 0
  let high = tiles.length
  while (low < high) {
    const middle = (low + high) >> 1
    const tile = tiles[middle]!
    if (tile.y + tile.height < top) low = middle + 1
    else high = middle
  }
  let end = low
  while (end < tiles.length && tiles[end]!.y <= bottom) end++
  return tiles.slice(low, end)
}

/** Where an arrow key leads from a tile. */
export function tileBeside<T>(tiles: Tile<T>[], index: number, key: string): number {
  const here = tiles[index]
  if (!here) return 0
  if (key === 'ArrowLeft') return Math.max(0, index - 1)
  if (key === 'ArrowRight') return Math.min(tiles.length - 1, index + 1)
  if (key === 'Home') return 0
  if (key === 'End') return tiles.length - 1
  const step = key === 'ArrowUp' ? -1 : 1
  const middle = here.x + here.width / 2
  let best = index
  let bestDistance = Number.POSITIVE_INFINITY
  for (let at = index + step; tiles[at]; at += step) {
    const tile = tiles[at]!
    if (tile.row === here.row) continue
    if (tile.row !== here.row + step) break
    const distance = Math.abs(tile.x + tile.width / 2 - middle)
    if (distance < bestDistance) [best, bestDistance] = [at, distance]
  }
  return best
}
