import { AppError } from '../../errors/app-error.ts'

export interface Option {
  readonly weight: number
  readonly nodes: Template
}

/** How many different options are taken, and what stands between them. */
export interface Several {
  readonly least: number
  /** Not more than there are. */
  readonly most: number
  readonly separator: string
}

/** `at` counts characters from 0 in the text that was parsed. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'slot'; readonly name: string; readonly at: number }
  | { readonly kind: 'wildcard'; readonly name: string; readonly at: number; readonly inTag: boolean }
  | { readonly kind: 'choice'; readonly options: readonly Option[]; readonly several: Several | null; readonly at: number }

export type Template = readonly Node[]

const maxDepth = 50
const slotSyntax = /\[\[([^[\]\n]+)\]\]/y
// A name has no "__" inside, so that two wildcards side by side stay two.
const wildcardSyntax = /__((?:(?!__)[\p{L}\p{N}_./-])+)__/uy
const tagStart = /<(?:lora|lyco|hypernet|embedding):/iy
const weightSyntax = /\s*(\d+(?:\.\d+)?)::/y
const severalSyntax = /\s*(\d*)(-)?(\d*)\$\$(?:([^$|{}]*)\$\$)?/y

/**
 * Reads a prompt: `[[slot]]` (StableNew), `__wildcard__`, `{a|b|2::c}` and `{2$$a|b|c}`, `{1-2$$ and $$a|b|c}` (sd-dynamic-prompts). Whatever A1111 reads
 * itself, `(word:1.2)`, `[word]`, `<lora:name:1>`, `<embedding:name>`, is text. `\{`, `\}` and `\|` are plain characters,
 * and so is a brace without a partner: packs that have one worked before braces meant anything.
 * @throws AppError `pack_broken` with `data.at` where braces nest too deep, or hold what is not known.
 */
export function parseTemplate(text: string): Template {
  const lone = loneBraces(text)
  let at = 0
  // Where the tag that `at` is in ends; a LoRA may have "__" in its name.
  let tagEnd = 0

  const matches = (syntax: RegExp): RegExpExecArray | null => {
    syntax.lastIndex = at
    return syntax.exec(text)
  }

  const readOption = (depth: number): Option => {
    const weight = matches(weightSyntax)
    if (weight) at += weight[0].length
    return { weight: weight ? Number(weight[1]) : 1, nodes: readNodes(depth) }
  }

  const readSeveral = (): Several | null => {
    const found = matches(severalSyntax)
    if (found === null) return null
    at += found[0].length
    const [, from = '', range, to = '', separator = ', '] = found
    const least = from === '' ? 1 : Number(from)
    return { least, most: range ? (to === '' ? Number.POSITIVE_INFINITY : Number(to)) : least, separator }
  }

  const readChoice = (depth: number): Node => {
    const start = at
    if (depth > maxDepth) throw broken(`Braces nest deeper than ${maxDepth}. Put some of them into a wildcard list.`, start)
    const options: Option[] = []
    at++
    const several = readSeveral()
    for (;;) {
      options.push(readOption(depth))
      if (text[at] !== '|') break
      at++
    }
    at++
    if (options.every(({ weight }) => weight === 0))
      throw broken('Every option here has the weight 0, so none can be chosen. Give one of them a weight above 0.', start)
    return { kind: 'choice', options, several, at: start }
  }

  const readNodes = (depth: number): Template => {
    const nodes: Node[] = []
    let plain = ''
    const add = (node: Node) => {
      if (plain !== '') nodes.push({ kind: 'text', text: plain })
      plain = ''
      nodes.push(node)
    }
    while (at < text.length) {
      const char = text[at]!
      const plainBrace = lone.has(at)
      if (depth > 0 && !plainBrace && (char === '|' || char === '}')) break
      if (char === '\\' && at + 1 < text.length) {
        plain += '{}|'.includes(text[at + 1]!) ? text[at + 1] : text.slice(at, at + 2)
        at += 2
        continue
      }
      if (char === '{' && !plainBrace) {
        add(readChoice(depth + 1))
        continue
      }
      if (char === '<' && matches(tagStart)) {
        const end = text.indexOf('>', at)
        tagEnd = end === -1 ? tagEnd : end
      }
      const slot = char === '[' ? matches(slotSyntax) : null
      const wildcard = char === '_' ? matches(wildcardSyntax) : null
      if (slot) add({ kind: 'slot', name: slot[1]!.trim(), at })
      else if (wildcard) add({ kind: 'wildcard', name: wildcard[1]!, at, inTag: at < tagEnd })
      else plain += char
      at += slot?.[0].length ?? wildcard?.[0].length ?? 1
    }
    if (plain !== '') nodes.push({ kind: 'text', text: plain })
    return nodes
  }

  return readNodes(0)
}

/** Places of the braces that have no partner. One behind a backslash, or in the name of a slot, is no brace. */
export function loneBraces(text: string): ReadonlySet<number> {
  const lone = new Set<number>()
  const opened: number[] = []
  for (const { 0: found, index } of text.matchAll(/\\.|\[\[[^[\]\n]+\]\]|[{}]/gs)) {
    if (found === '{') opened.push(index)
    else if (found === '}' && opened.pop() === undefined) lone.add(index)
  }
  for (const index of opened) lone.add(index)
  return lone
}

const broken = (message: string, at: number): AppError => new AppError('pack_broken', message, { data: { at } })

/** Every slot and wildcard that the template names, in any option. */
export function* namesIn(template: Template): Generator<Extract<Node, { kind: 'slot' | 'wildcard' }>> {
  for (const node of template) {
    if (node.kind === 'choice') for (const { nodes } of node.options) yield* namesIn(nodes)
    else if (node.kind !== 'text') yield node
  }
}
