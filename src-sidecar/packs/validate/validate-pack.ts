import { extname } from 'node:path'
import type { PackFinding, PackProblem } from '../../contract/pack.ts'
import { decodeText } from '../decode-text.ts'
import type { Wildcards } from '../expand/fill-template.ts'
import { type Matrix, usableSlots } from '../expand/matrix.ts'
import { JsonSyntaxError, jsonTree } from '../formats/json-tree.ts'
import { type PackContent, parsePackJson } from '../formats/parse-pack-json.ts'
import { parseTsv } from '../formats/parse-tsv.ts'
import { parsePack } from '../parse-pack.ts'
import { checkPrompt } from './check-prompt.ts'
import { jsonSources, linesOf, type PromptSource, textSources, tsvSources } from './prompt-source.ts'

export interface PackFile {
  /** Its ending says what it is: `.txt`, `.tsv`, `.json`. */
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Checks the files of one pack: one, or `{name}.txt` and `{name}.json` together, where the text is checked against the
 * matrix of the JSON, and only if its prompts are used. Never throws for what a file holds.
 */
export function validatePack(files: readonly PackFile[], wildcards: Wildcards): PackFinding[] {
  const jsonFile = files.find(({ name }) => kindOf(name) === '.json')
  const json = jsonFile && parsePackJson(jsonFile.bytes)
  const used = json && json.prompts.length > 0 ? files.filter((file) => file === jsonFile) : files
  const lists = new Map([...wildcards, ...(json?.wildcards ?? [])])
  return used.flatMap((file) => validateFile(file, json, lists))
}

const kindOf = (name: string): string => extname(name).toLowerCase()

function validateFile({ name, bytes }: PackFile, json: PackContent | undefined, wildcards: Wildcards): PackFinding[] {
  const kind = kindOf(name)
  const parsed = kind === '.json' && json ? json : kind === '.tsv' ? parseTsv(bytes) : parsePack(bytes)
  const text = decodeText(bytes)
  const starts = typeof text === 'string' ? [...linesOf(text)].map(({ at }) => at) : []
  const placed = (place: number) => {
    const line = starts.findLastIndex((start) => start <= place)
    return { file: name, line: line + 1, column: place - starts[line]! + 1 }
  }
  if (parsed.problem !== null || typeof text !== 'string') {
    const { line, message: whole } = parsed.problem ?? (text as PackProblem)
    const [message = '', ...suggestion] = whole.split(/(?<=\.) /)
    const place = kind === '.json' && typeof text === 'string' ? syntaxErrorAt(text) : null
    const where = place === null ? { file: name, line, column: line === null ? null : 1 } : placed(place)
    return [{ severity: 'error', ...where, message, suggestion: suggestion.join(' ') }]
  }
  const known = { slots: slotNames(json?.matrix), wildcards }
  const findings = sources(kind, text).flatMap(({ text: prompt, placeOf }) =>
    checkPrompt(prompt, known).map(({ at, ...rest }) => ({ ...rest, ...placed(placeOf(at)) })),
  )
  return kind === '.tsv' ? [...emptyRows(text, name), ...findings] : findings
}

const slotNames = (matrix: Matrix | undefined): string[] | undefined =>
  matrix && usableSlots(matrix.slots).map(({ name }) => name)

function syntaxErrorAt(text: string): number | null {
  try {
    jsonTree(text)
    return null
  } catch (error) {
    return error instanceof JsonSyntaxError ? error.at : null
  }
}

const sources = (kind: string, text: string): PromptSource[] =>
  kind === '.json' ? jsonSources(text) : kind === '.tsv' ? tsvSources(text) : textSources(text)

/** A row of a tab and nothing else was meant to become a prompt. */
const emptyRows = (text: string, file: string): PackFinding[] =>
  [...linesOf(text)].flatMap(({ text: row }, index) =>
    row.includes('\t') && row.trim() === ''
      ? [
          {
            severity: 'warning' as const,
            file,
            line: index + 1,
            column: 1,
            message: 'This row is empty.',
            suggestion: 'Write a prompt before the tab, or remove the row.',
          },
        ]
      : [],
  )
