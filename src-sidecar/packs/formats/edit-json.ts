import { type JsonNode, type JsonValue, jsonTree } from './json-tree.ts'

export type JsonPath = readonly (string | number)[]

/**
 * Sets one value in a JSON text and leaves every other character as it is: unknown keys, order, blanks, `7.0`. What is
 * missing on the way is added. A value that is the same already changes nothing.
 * @throws JsonSyntaxError (no JSON), RangeError (the path leads through a value that is neither object nor array, or beyond
 * the next place of an array).
 */
export function editJson(text: string, path: JsonPath, value: JsonValue): string {
  let node = jsonTree(text)
  for (const [depth, step] of path.entries()) {
    const next: JsonNode | undefined = typeof step === 'number' ? node.items?.[step] : node.members?.get(step)
    if (next !== undefined) {
      node = next
      continue
    }
    const rest = path.slice(depth + 1).reduceRight((inner: JsonValue, key) => {
      if (typeof key === 'number' && key !== 0) throw noSuchPlace(path)
      return typeof key === 'number' ? [inner] : { [key]: inner }
    }, value)
    const fits = typeof step === 'number' ? node.items?.length === step : node.members !== undefined
    if (!fits) throw noSuchPlace(path)
    return insert(text, node, typeof step === 'string' ? step : undefined, rest)
  }
  if (sameValue(node.value, value)) return text
  return text.slice(0, node.start) + written(value, lineIndent(text, node.start), text) + text.slice(node.end)
}

const noSuchPlace = (path: JsonPath): RangeError => new RangeError(`There is no place for ${path.join('.')} in this file.`)

function insert(text: string, parent: JsonNode, key: string | undefined, value: JsonValue): string {
  const children = [...(parent.items ?? parent.members?.values() ?? [])]
  const last = children.toSorted((a, b) => a.end - b.end).at(-1)
  const outer = lineIndent(text, parent.start)
  const indent = last ? lineIndent(text, last.start) : outer + indentUnit(text)
  const oneLine = last !== undefined && !text.slice(parent.start, last.start).includes('\n')
  const label = key === undefined ? '' : `${JSON.stringify(key)}: `
  const entry = `${oneLine ? ' ' : lineEnd(text) + indent}${label}${written(value, indent, text)}`
  if (last !== undefined) return `${text.slice(0, last.end)},${entry}${text.slice(last.end)}`
  return `${text.slice(0, parent.start + 1)}${entry}${lineEnd(text)}${outer}${text.slice(parent.end - 1)}`
}

const written = (value: JsonValue, indent: string, text: string): string =>
  JSON.stringify(value, null, indentUnit(text)).replaceAll('\n', lineEnd(text) + indent)

const lineEnd = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

const indentUnit = (text: string): string => /\n([ \t]+)/.exec(text)?.[1] ?? '  '

const lineIndent = (text: string, at: number): string => /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? ''

/** Order of keys counts: two values are the same when nothing would have to be written. */
const sameValue = (one: JsonValue, other: JsonValue): boolean => JSON.stringify(one) === JSON.stringify(other)
