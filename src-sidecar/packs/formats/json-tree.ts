/** A value of a JSON text and where it stands in it; `end` is the place after its last character. */
export interface JsonNode {
  readonly start: number
  readonly end: number
  readonly value: JsonValue
  /** Of an array. */
  readonly items?: readonly JsonNode[]
  /** Of an object; of a key that stands twice, the last. */
  readonly members?: ReadonlyMap<string, JsonNode>
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** What is no JSON, and where; JSON.parse tells the place of some mistakes only. */
export class JsonSyntaxError extends SyntaxError {
  /** From 0. */
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const maxDepth = 200
const blank = /[ \t\r\n]*/y
const bare = /[^ \t\r\n,:[\]{}"]*/y

/** @throws JsonSyntaxError where the text is no JSON, or nests deeper than anything that a pack holds. */
export function jsonTree(text: string): JsonNode {
  let at = text.startsWith('\uFEFF') ? 1 : 0

  const skip = (syntax: RegExp): void => {
    syntax.lastIndex = at
    at += syntax.exec(text)?.[0].length ?? 0
  }

  const expect = (what: string, ok: boolean): void => {
    if (ok) return
    const found = at < text.length ? JSON.stringify(text[at]) : 'the end of the file'
    throw new JsonSyntaxError(`${what} is expected here, not ${found}.`, at)
  }

  const readScalar = (): JsonValue => {
    const start = at
    if (text[at] === '"') {
      at++
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
      at++
    } else skip(bare)
    try {
      return JSON.parse(text.slice(start, at)) as JsonValue
    } catch {
      at = start
      throw new JsonSyntaxError(`A value is expected here: a text in "…", a number, true, false, null, […] or {…}.`, start)
    }
  }

  const readAll = <T>(close: string, readOne: () => T): T[] => {
    const all: T[] = []
    at++
    skip(blank)
    if (text[at] !== close)
      for (;;) {
        all.push(readOne())
        skip(blank)
        if (text[at] === close) break
        expect(`A comma or ${close}`, text[at] === ',')
        at++
        skip(blank)
      }
    at++
    return all
  }

  const readMember = (depth: number): [string, JsonNode] => {
    expect('A name in "…"', text[at] === '"')
    const key = readScalar() as string
    skip(blank)
    expect('A colon', text[at] === ':')
    at++
    return [key, read(depth + 1)]
  }

  const read = (depth: number): JsonNode => {
    skip(blank)
    const start = at
    if (depth > maxDepth) throw new JsonSyntaxError(`This nests deeper than ${maxDepth}.`, at)
    if (text[at] === '[') {
      const items = readAll(']', () => read(depth + 1))
      return { start, end: at, value: items.map(({ value }) => value), items }
    }
    if (text[at] === '{') {
      const members = new Map(readAll('}', () => readMember(depth)))
      return { start, end: at, value: Object.fromEntries([...members].map(([key, { value }]) => [key, value])), members }
    }
    return { value: readScalar(), start, end: at }
  }

  const root = read(0)
  skip(blank)
  expect('The end of the file', at === text.length)
  return root
}
