import type { PackProblem, PackPrompt } from '../contract/pack.ts'
import { decodeText } from './decode-text.ts'

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
  const text = decodeText(bytes)
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
