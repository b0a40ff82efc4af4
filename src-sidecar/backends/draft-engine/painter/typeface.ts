import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import opentype, { type Font } from 'opentype.js'
import type { Coverage, PathCommand } from './coverage.ts'

/** Inter comes in one file a script; the first one holds most. */
const subsets = ['latin', 'latin-ext', 'cyrillic', 'greek', 'vietnamese'] as const
const loaded = new Map<string, Promise<Font>>()

function load(subset: string): Promise<Font> {
  const name = `@fontsource/inter/files/inter-${subset}-600-normal.woff`
  let font = loaded.get(name)
  if (!font) {
    font = readFile(fileURLToPath(import.meta.resolve(name))).then((file) => {
      const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength)
      return opentype.parse(bytes)
    })
    loaded.set(name, font)
  }
  return font
}

/** A line of text, ready to be measured and drawn. Lengths in ems, letter-spacing included. */
export interface Line {
  readonly width: number
  draw(coverage: Coverage, x: number, baseline: number, size: number): void
}

/** Sets one line in Inter; `tracking` is the letter-spacing in ems. Signs that Inter lacks are left out. */
export async function setLine(text: string, tracking = 0): Promise<Line> {
  const glyphs: { commands: PathCommand[]; x: number }[] = []
  let x = 0
  let lastFont: Font | null = null
  let lastGlyph: opentype.Glyph | null = null
  for (const char of text.normalize('NFC')) {
    const font = await fontFor(char)
    if (!font) continue
    const glyph = font.charToGlyph(char)
    if (lastGlyph && lastFont === font) x += font.getKerningValue(lastGlyph, glyph) / font.unitsPerEm
    // 1000 pixels an em, so that the outlines keep their precision.
    glyphs.push({ commands: glyph.getPath(0, 0, 1000).commands as PathCommand[], x })
    x += (glyph.advanceWidth ?? 0) / font.unitsPerEm + tracking
    lastFont = font
    lastGlyph = glyph
  }
  return {
    width: Math.max(0, x - tracking),
    draw(coverage, left, baseline, size) {
      for (const glyph of glyphs) coverage.fill(scaled(glyph.commands, size / 1000), left + glyph.x * size, baseline)
    },
  }
}

async function fontFor(char: string): Promise<Font | null> {
  for (const subset of subsets) {
    const font = await load(subset)
    if (font.charToGlyphIndex(char) > 0) return font
  }
  return null
}

function scaled(commands: readonly PathCommand[], by: number): PathCommand[] {
  return commands.map((command) => {
    const entries = Object.entries(command).map(([key, value]) => [key, typeof value === 'number' ? value * by : value])
    return Object.fromEntries(entries) as PathCommand
  })
}
