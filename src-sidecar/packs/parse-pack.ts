import type { PackProblem, PackPrompt } from '../contract/pack.ts'

export interface ParsedPack {
  readonly prompts: PackPrompt[]
  readonly problem: PackProblem | null
}

const negativeMark = /^neg:/i

/**
 * Parses a `.txt` PromptPack: UTF-8; prompts are blocks separated by blank lines; a line that starts with `#` is a
 * comment; a line that starts with `neg:` belongs to the negative prompt; the other lines of a block join with a space.
 * Never throws: what is wrong comes back as `problem`, with its line, and then there are no prompts.
 */
export function parsePack(bytes: Uint8Array): ParsedPack {
  const text = decode(bytes)
  if (typeof text !== 'string') return broken(text)
  const prompts: PackPrompt[] = []
  let block: { line: number; positive: string[]; negative: string[] } | null = null
  let problem: PackProblem | null = null

  const endBlock = () => {
    if (block === null) return
    if (block.positive.length === 0) {
      problem ??= {
        line: block.line,
        message: 'This block has a negative prompt (neg:) but no prompt. Add a line with the prompt, or remove the block.',
      }
    } else {
      prompts.push({
        index: prompts.length,
        line: block.line,
        prompt: block.positive.join(' '),
        negativePrompt: block.negative.join(' '),
      })
    }
    block = null
  }

  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim()
    if (line === '') endBlock()
    else if (!line.startsWith('#')) {
      block ??= { line: index + 1, positive: [], negative: [] }
      const negative = negativeMark.test(line)
      const words = negative ? line.replace(negativeMark, '').trim() : line
      if (words !== '') (negative ? block.negative : block.positive).push(words)
    }
  }
  endBlock()
  if (problem !== null) return broken(problem)
  if (prompts.length === 0)
    return broken({ line: null, message: 'There is no prompt in this file. Write one a block, with blank lines between them.' })
  return { prompts, problem: null }
}

const broken = (problem: PackProblem): ParsedPack => ({ prompts: [], problem })

function decode(bytes: Uint8Array): string | PackProblem {
  const zero = bytes.indexOf(0)
  if (zero !== -1) {
    const message = 'This is not a text file (it holds a zero byte; UTF-16 is not read). Save it as UTF-8.'
    return { line: lineAt(bytes, zero), message }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const line = lineAt(bytes, firstInvalidByte(bytes))
    return { line, message: 'This line is not UTF-8. Save the file as UTF-8.' }
  }
}

const [lineFeed, carriageReturn] = [0x0a, 0x0d]

const lineAt = (bytes: Uint8Array, end: number): number => {
  let line = 1
  for (let at = 0; at < end; at++) {
    if (bytes[at] === lineFeed || (bytes[at] === carriageReturn && bytes[at + 1] !== lineFeed)) line++
  }
  return line
}

/** No byte of a UTF-8 sequence ends a line, so whole lines can be tried one by one. */
function firstInvalidByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let start = 0
  while (start < bytes.length) {
    let end = start + 1
    while (end < bytes.length && bytes[end - 1] !== lineFeed && bytes[end - 1] !== carriageReturn) end++
    try {
      decoder.decode(bytes.subarray(start, end))
    } catch {
      return start
    }
    start = end
  }
  return start
}
