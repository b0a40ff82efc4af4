import { isDeepStrictEqual } from 'node:util'
import type { PackMatrix } from '../../contract/pack.ts'
import type { EditablePack, PackEdit } from '../../contract/pack-edit.ts'
import { AppError } from '../../errors/app-error.ts'
import { decodeText } from '../decode-text.ts'
import { shownMatrix } from '../describe-pack.ts'
import { editJson, type JsonPath } from '../formats/edit-json.ts'
import { type JsonValue, jsonTree } from '../formats/json-tree.ts'
import { fileOfPrompts, parseFiles } from '../load-pack.ts'
import { endingOf, stemOf } from '../pack-files.ts'
import type { PackFile } from '../validate/validate-pack.ts'
import type { Document } from './document.ts'
import { jsonDocument } from './json-document.ts'
import { textDocument } from './text-document.ts'
import { tsvDocument } from './tsv-document.ts'

const maxEditedBytes = 1024 * 1024
const maxEditedRows = 5000

/** What can be edited of the files of a pack. @throws AppError `too_large`, `pack_broken`. */
export function openEdit(files: readonly PackFile[]): Pick<EditablePack, 'edit' | 'tags' | 'can'> {
  const { document, file } = rowsOf(files)
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (size > maxEditedBytes || document.rows.length > maxEditedRows)
    throw new AppError(
      'too_large',
      `This pack has ${document.rows.length.toLocaleString('en')} prompts in ${Math.ceil(size / 1024).toLocaleString('en')} KB; here ${maxEditedRows.toLocaleString('en')} and 1,024 KB can be edited. Use a text editor: the page shows what it saves.`,
    )
  const isTsv = endingOf(file.name) === '.tsv'
  return {
    edit: { rows: [...document.rows], matrix: shownMatrix(parseFiles(files)) },
    tags: [...document.tags],
    can: { lines: !isTsv, matrix: !isTsv },
  }
}

/**
 * The files of a pack with an edit: unchanged where nothing of them is. A matrix of a `.txt` pack goes to a `.json` beside it.
 * @throws AppError `bad_request` (a row that the file can't hold), `pack_broken`.
 */
export function editedFiles(files: readonly PackFile[], edit: PackEdit): PackFile[] {
  if (edit.rows.length === 0) throw new AppError('bad_request', 'A pack has at least one prompt. Add one.')
  const { document, file } = rowsOf(files)
  const same = isDeepStrictEqual(edit.rows, document.rows)
  const written = same ? [...files] : files.map((one) => (one === file ? withText(one, document.write(edit.rows)) : one))
  return isDeepStrictEqual(edit.matrix, shownMatrix(parseFiles(files))) ? written : withMatrix(written, edit.matrix)
}

/** The file that the prompts of a pack are in. */
function rowsOf(files: readonly PackFile[]): { file: PackFile; document: Document } {
  const file = fileOfPrompts(files)
  if (file === undefined) throw new AppError('pack_broken', 'This pack has no file that can be read.')
  const text = textOf(file)
  const open = { '.json': jsonDocument, '.tsv': tsvDocument }[endingOf(file.name)] ?? textDocument
  return { file, document: open(text) }
}

function textOf({ name, bytes }: PackFile): string {
  const text = decodeText(bytes)
  if (typeof text === 'string') return text
  throw new AppError('pack_broken', `${name}: ${text.message}`)
}

/** A byte order mark stays. */
function withText(file: PackFile, text: string): PackFile {
  const marked = file.bytes[0] === 0xef && file.bytes[1] === 0xbb && file.bytes[2] === 0xbf
  return { name: file.name, bytes: new TextEncoder().encode(marked ? `\uFEFF${text}` : text) }
}

function withMatrix(files: readonly PackFile[], matrix: PackMatrix | null): PackFile[] {
  const json = files.find(({ name }) => endingOf(name) === '.json')
  const first = files[0]!
  if (json === undefined) {
    if (endingOf(first.name) !== '.txt')
      throw new AppError('bad_request', `A ${endingOf(first.name)} pack has no matrix. Save it as a .txt or .json pack.`)
    const name = stemOf(first.name)
    const text = `${JSON.stringify({ pack_data: { name, matrix: matrixValue(matrix, []) } }, null, 2)}\n`
    return [...files, { name: `${name}.json`, bytes: new TextEncoder().encode(text) }]
  }
  const text = textOf(json)
  const path = matrixPath(text)
  const old = at(text, path)
  const known = isObject(old) && Array.isArray(old.slots) ? (old.slots as JsonValue[]) : []
  const edited = Object.entries(matrixValue(matrix, known)).reduce(
    (done, [key, value]) => editJson(done, [...path, key], value),
    text,
  )
  return files.map((file) => (file === json ? withText(json, edited) : file))
}

/** No matrix is one that is switched off, so that what was in it can be found again. */
function matrixValue(matrix: PackMatrix | null, known: readonly JsonValue[]): { readonly [key: string]: JsonValue } {
  if (matrix === null) return { enabled: false }
  const named = matrix.slots.filter(({ name }) => name.trim() !== '')
  const slots = named.map(({ name, values }) => ({
    ...known.filter(isObject).find((slot) => slot.name === name),
    name,
    values,
  }))
  return { enabled: true, mode: matrix.mode, limit: matrix.limit, slots }
}

/** Where the matrix that counts stands, or would. */
function matrixPath(text: string): JsonPath {
  const settings: JsonPath = at(text, ['preset_data']) === undefined ? [] : ['preset_data']
  const pack: JsonPath = at(text, ['pack_data']) === undefined && settings.length === 0 ? [] : ['pack_data']
  const inSettings: JsonPath = [...settings, 'randomization', 'matrix']
  return at(text, [...pack, 'matrix']) === undefined && at(text, inSettings) !== undefined ? inSettings : [...pack, 'matrix']
}

function at(text: string, path: JsonPath): JsonValue | undefined {
  let node = jsonTree(text) as ReturnType<typeof jsonTree> | undefined
  for (const key of path) node = node?.members?.get(String(key))
  return node?.value
}

const isObject = (value: JsonValue | undefined): value is { [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
