import { expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import { withImages, withNewest } from '../../src-ui/state/gallery-changes.ts'
import { galleryLayout, headingHeight, type Laid, tileBeside, tilesBetween } from '../../src-ui/state/gallery-layout.ts'

const now = new Date(2026, 4, 20, 12).getTime()
const square: Laid = { width: 512, height: 512, createdAtMs: now }
const wide: Laid = { width: 768, height: 512, createdAtMs: now }
const earlier = (image: Laid): Laid => ({ ...image, createdAtMs: now - 86_400_000 })
const images = (...ids: number[]) => ids.map((id) => ({ id })) as Image[]
const ids = (list: Image[]) => list.map((image) => image.id)

test('full rows fill the width and keep every aspect', () => {
  const { tiles } = galleryLayout([square, wide, square, wide, square], 700, 200, 6, now)
  const row = tiles.filter((tile) => tile.y === tiles[0]!.y)
  const last = row.at(-1)!
  expect(last.x + last.width).toBeCloseTo(700)
  for (const tile of tiles) expect(tile.width / tile.height).toBeCloseTo(tile.image.width / tile.image.height)
})

test('the last row of a day is not blown up', () => {
  const { tiles } = galleryLayout([square], 1000, 200, 6, now)
  expect(tiles[0]).toMatchObject({ x: 0, y: headingHeight, width: 200, height: 200 })
})

test('each day starts a row of its own under its heading', () => {
  const { headings, tiles } = galleryLayout([square, earlier(square)], 1000, 200, 6, now)
  expect(headings.map((heading) => heading.name)).toEqual(['Today', 'Yesterday'])
  expect(tiles[1]!.x).toBe(0)
  expect(tiles[1]!.y).toBe(headings[1]!.y + headingHeight)
})

test('a very wide image fits into a narrow window', () => {
  const { tiles } = galleryLayout([{ ...square, width: 4096 }], 500, 200, 6, now)
  expect(tiles[0]!.width).toBeCloseTo(500)
})

test('only what reaches into the view is drawn', () => {
  const { tiles, height } = galleryLayout(
    Array.from({ length: 3000 }, () => square),
    1000,
    200,
    6,
    now,
  )
  const seen = tilesBetween(tiles, 5000, 5800)
  expect(seen.length).toBeLessThan(40)
  expect(seen.every((tile) => tile.y + tile.height >= 5000 && tile.y <= 5800)).toBe(true)
  expect(tilesBetween(tiles, 0, height)).toHaveLength(3000)
})

test('arrow keys go to the neighbour, up and down to the nearest of the next row', () => {
  const { tiles } = galleryLayout(
    Array.from({ length: 12 }, () => square),
    1024,
    200,
    6,
    now,
  )
  expect(tileBeside(tiles, 0, 'ArrowLeft')).toBe(0)
  expect(tileBeside(tiles, 0, 'ArrowRight')).toBe(1)
  expect(tileBeside(tiles, 1, 'ArrowDown')).toBe(6)
  expect(tileBeside(tiles, 6, 'ArrowUp')).toBe(1)
  expect(tileBeside(tiles, 3, 'ArrowUp')).toBe(3)
  expect(tileBeside(tiles, 3, 'End')).toBe(11)
})

test('images stand newest first and once', () => {
  expect(ids(withImages(images(5, 3), images(6, 5, 4)))).toEqual([6, 5, 4, 3])
})

test('after a reconnect the loaded images are kept if the newest page reaches them', () => {
  const joined = withNewest(images(5, 4, 3), images(7, 6, 5))
  expect([joined.kept, ids(joined.images)]).toEqual([true, [7, 6, 5, 4, 3]])
  const gap = withNewest(images(5, 4, 3), images(9, 8, 7))
  expect([gap.kept, ids(gap.images)]).toEqual([false, [9, 8, 7]])
})
