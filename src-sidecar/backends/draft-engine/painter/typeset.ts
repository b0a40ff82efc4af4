import { Coverage } from './coverage.ts'
import type { Recipe } from './recipe.ts'
import { smooth } from './scene.ts'
import { titleOf } from './title.ts'
import { type Line, setLine } from './typeface.ts'

/** Lettering over a picture. */
export interface Lettering {
  /** Shades and inks row `y`, three linear values a pixel. */
  inkRow(y: number, row: Float32Array): void
  /** How far row `y` belongs to the lettering, 0 to 1 with soft edges. */
  cover(y: number): number
}

interface Block {
  readonly top: number
  readonly opacity: number
  readonly coverage: Coverage
}

/**
 * Sets a picture like a poster: DRAFT and the seed above, the prompt's words and the parameters below, in white over a shade that
 * keeps them legible on light skies too.
 */
export async function letter(recipe: Recipe, width: number, height: number): Promise<Lettering> {
  const unit = Math.min(width, height * 0.85)
  const margin = 0.06 * unit
  const small = 0.0245 * unit
  const blocks: Block[] = []
  const addBlock = (lines: { line: Line; x: number; baseline: number; size: number }[], opacity: number) => {
    const top = Math.max(0, Math.floor(Math.min(...lines.map((l) => l.baseline - l.size * 1.1))))
    const bottom = Math.min(height, Math.ceil(Math.max(...lines.map((l) => l.baseline + l.size * 0.4))))
    const coverage = new Coverage(width, Math.max(1, bottom - top))
    for (const { line, x, baseline, size } of lines) line.draw(coverage, x, baseline - top, size)
    blocks.push({ top, opacity, coverage })
  }

  const draft = await setLine('DRAFT', 0.24)
  const seed = await setLine(`seed ${recipe.seed}`, 0.02)
  const above = margin + small * 0.8
  addBlock([{ line: draft, x: margin, baseline: above, size: small }], 0.95)
  addBlock([{ line: seed, x: width - margin - seed.width * small, baseline: above, size: small }], 0.8)

  const size = `${recipe.width} × ${recipe.height}`
  const footer = await setLine(`${recipe.sampler}  ·  CFG ${recipe.cfgScale}  ·  ${size}`, 0.02)
  const below = height - margin
  addBlock([{ line: footer, x: margin, baseline: below, size: small }], 0.75)

  const title = await setTitle(titleOf(recipe.prompt), (width - 2 * margin) / unit)
  const lineHeight = title.size * unit * 1.14
  const lowest = below - small * 2.1
  const lines = title.lines.map((line, index) => ({
    line,
    x: margin - 0.04 * title.size * unit,
    baseline: lowest - (title.lines.length - 1 - index) * lineHeight,
    size: title.size * unit,
  }))
  if (lines.length > 0) addBlock(lines, 0.97)

  const textTop = lowest - lines.length * lineHeight
  const mask = new Float32Array(width)
  return {
    cover: (y) => Math.max(smooth(textTop - 0.14 * unit, textTop, y), smooth(0.16 * unit, 0.1 * unit, y)),
    inkRow(y, row) {
      const shade = (1 - 0.5 * smooth(textTop - 0.16 * unit, below, y)) * (1 - 0.34 * smooth(0.22 * unit, 0, y))
      for (let i = 0; i < row.length; i++) row[i]! *= shade
      for (const { top, opacity, coverage } of blocks) {
        if (y < top || y >= top + coverage.height) continue
        coverage.row(y - top, mask)
        for (let x = 0; x < width; x++) {
          const ink = mask[x]! * opacity
          if (ink === 0) continue
          for (let c = x * 3; c < x * 3 + 3; c++) row[c]! += (0.97 - row[c]!) * ink
        }
      }
    },
  }
}

/** Breaks a title into at most three lines of `maxWidth`, the larger the shorter it is. Sizes in the same unit as the width. */
async function setTitle(title: string, maxWidth: number): Promise<{ lines: Line[]; size: number }> {
  const words = title.split(' ').filter(Boolean)
  for (const [size, most] of [
    [0.078, 2],
    [0.06, 2],
    [0.05, 3],
    [0.04, 3],
  ] as const) {
    const lines = await breakLines(words, maxWidth / size)
    if (lines.length > most && size !== 0.04) continue
    return { lines: (await balance(words, lines, maxWidth / size)).slice(0, 3), size }
  }
  return { lines: [], size: 0.04 }
}

/** Breaks again as narrow as the same number of lines allows, so that no word stands alone on the last. */
async function balance(words: string[], lines: Line[], maxWidth: number): Promise<Line[]> {
  let best = lines
  for (let share = 0.92; share > 0.4 && lines.length > 1; share -= 0.06) {
    const narrower = await breakLines(words, maxWidth * share)
    if (narrower.length > lines.length || Math.max(...narrower.map((line) => line.width)) > maxWidth * share) break
    best = narrower
  }
  return best
}

async function breakLines(words: string[], maxWidth: number): Promise<Line[]> {
  const lines: Line[] = []
  let current: { text: string; line: Line } | null = null
  for (const word of words) {
    const text: string = current ? `${current.text} ${word}` : word
    const line = await setLine(text, -0.022)
    if (current && line.width > maxWidth) {
      lines.push(current.line)
      current = { text: word, line: await setLine(word, -0.022) }
    } else current = { text, line }
  }
  return current && current.line.width > 0 ? [...lines, current.line] : lines
}
