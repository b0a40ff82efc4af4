import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { PackSummary } from '../contract/pack.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { Wildcards } from './expand/fill-template.ts'
import { joinPack, type PackContent, parsePackJson } from './formats/parse-pack-json.ts'
import { parseTsv } from './formats/parse-tsv.ts'
import { endingOf, stemOf } from './pack-files.ts'
import { type ParsedPack, parsePack } from './parse-pack.ts'
import { readBounded } from './read-bounded.ts'
import type { PackFile } from './validate/validate-pack.ts'

/** Text is read line by line; of JSON a tree is built, which is many times its size. */
const maxBytes = { text: 128 * 2 ** 20, json: 16 * 2 ** 20 }

export type PackSource = PackSummary['source']

export interface LoadedPack {
  readonly summary: PackSummary
  /** Without prompts where there is a problem. */
  readonly content: PackContent
  readonly files: readonly PackFile[]
}

/** With the wildcard lists that its texts can come to. */
export interface OpenPack extends LoadedPack {
  readonly wildcards: Wildcards
}

/**
 * Reads and parses the files of one pack; the first names it. What is wrong with them comes back as its problem.
 * @throws AppError `pack_not_found` where the first is not there.
 */
export async function loadPack(folder: string, names: readonly string[], source: PackSource): Promise<LoadedPack> {
  const [main = ''] = names
  const path = join(folder, main)
  const files: PackFile[] = []
  let problem: LoadedPack['content']['problem'] = null
  for (const name of names) {
    try {
      const limit = endingOf(name) === '.json' ? maxBytes.json : maxBytes.text
      files.push({ name, bytes: await readBounded(join(folder, name), limit) })
    } catch (error) {
      const gone = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (gone && name === main) throw packNotFound(path)
      if (!gone) problem ??= { line: null, message: named(asError(error).message, name, names) }
    }
  }
  const content = problem === null ? parseFiles(files) : { ...nothing, problem }
  const id = `${source}/${main}`
  const summary = { id, name: stemOf(main), source, path, files: [...names] }
  return { summary: { ...summary, promptCount: content.prompts.length, problem: content.problem }, content, files }
}

/** The files of one pack as one. */
export function parseFiles(files: readonly PackFile[]): PackContent {
  const names = files.map(({ name }) => name)
  const jsonFile = files.find(({ name }) => endingOf(name) === '.json')
  const textFile = files.find((file) => file !== jsonFile)
  const json = jsonFile && parsePackJson(jsonFile.bytes)
  if (json?.problem) return { ...json, problem: { ...json.problem, message: named(json.problem.message, jsonFile!.name, names) } }
  if (json && (json.prompts.length > 0 || textFile === undefined)) return json
  const text = parseText(textFile)
  return json ? joinPack(text, json) : { ...nothing, ...text }
}

/** The file that the prompts of a pack are in: of a pair the `.json`, where it has any. */
export function fileOfPrompts(files: readonly PackFile[]): PackFile | undefined {
  const json = files.find(({ name }) => endingOf(name) === '.json')
  const text = files.find((file) => file !== json)
  return json && (text === undefined || parsePackJson(json.bytes).prompts.length > 0) ? json : text
}

function parseText(file: PackFile | undefined): ParsedPack {
  if (file === undefined) return nothing
  return endingOf(file.name) === '.tsv' ? parseTsv(file.bytes) : parsePack(file.bytes)
}

const nothing: PackContent = {
  prompts: [],
  problem: null,
  name: null,
  matrix: undefined,
  searchReplace: undefined,
  wildcards: new Map(),
  settings: {},
}

/** Of a pair, which of the two is meant. */
const named = (message: string, name: string, all: readonly string[]): string =>
  all.length > 1 ? `${name}: ${message}` : message

/** Changes with any byte of the files. */
export function versionOf(files: readonly PackFile[]): string {
  const hash = createHash('sha256')
  for (const { name, bytes } of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  return hash.digest('base64url')
}

export const packNotFound = (id: string): AppError =>
  new AppError('pack_not_found', `There is no pack "${id}". It may have been renamed or deleted.`)

export const packBroken = ({ name, path, problem }: PackSummary): AppError => {
  const where = problem?.line ? `${path}, line ${problem.line}` : path
  return new AppError('pack_broken', `The pack "${name}" can't be used: ${where}: ${problem?.message}`)
}
