import type { PackPrompt } from '../../contract/pack.ts'
import { decodeText } from '../decode-text.ts'
import type { ParsedPack } from '../parse-pack.ts'

/**
 * Parses a `.tsv` PromptPack: UTF-8; a row is a prompt, a tab, the negative prompt; the tab and what follows may be
 * absent. Rows of blanks and rows that start with `#` are left out. Never throws: what is wrong comes back as `problem`.
 */
export function parseTsv(bytes: Uint8Array): ParsedPack {
  const text = decodeText(bytes)
  if (typeof text !== 'string') return { prompts: [], problem: text }
  const prompts: PackPrompt[] = []
  for (const [at, row] of text.split(/\r\n|\n|\r/).entries()) {
    if (row.trim() === '' || row.trimStart().startsWith('#')) continue
    const line = at + 1
    const [prompt = '', negativePrompt = '', ...more] = row.split('\t').map((field) => field.trim())
    if (more.length > 0)
      return broken(
        line,
        'This row has more than one tab. A row is the prompt, one tab and the negative prompt; remove the others.',
      )
    if (prompt === '')
      return broken(line, 'This row has a negative prompt but no prompt. Write the prompt before the tab, or remove the row.')
    prompts.push({ index: prompts.length, line, prompt, negativePrompt })
  }
  return prompts.length > 0 ? { prompts, problem: null } : broken(null, 'There is no prompt in this file. Write one a row.')
}

const broken = (line: number | null, message: string): ParsedPack => ({ prompts: [], problem: { line, message } })
