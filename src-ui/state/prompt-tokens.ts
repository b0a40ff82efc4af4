export type PromptTokenKind = 'text' | 'slot' | 'wildcard' | 'weight' | 'network' | 'choice'
export interface PromptToken {
  kind: PromptTokenKind
  text: string
}

// The field's own notation, shown so that it can be told apart: `<lora:name:0.8>`, `[[slot]]`, `__wildcard__`,
// `(word:1.2)`, `[a|b]` and `{a|b}`; of one in another the inner is shown, where it is a slot or a wildcard.
const notation =
  /(?<network><[a-z]+:[^<>]+>)|(?<slot>\[\[[^[\]\n]+\]\])|(?<wildcard>__(?:(?!__)[\p{L}\p{N}_./-])+__)|(?<weight>\([^()[\]]*:\s*\d*\.?\d+\s*\)|\(\([^()]*\)\))|(?<choice>[[{](?:(?!__)[^[\]{}])*[|:](?:(?!__)[^[\]{}])*[\]}])/giu
const kinds = ['network', 'slot', 'wildcard', 'weight', 'choice'] as const

export function promptTokens(prompt: string): PromptToken[] {
  const tokens: PromptToken[] = []
  let end = 0
  for (const match of prompt.matchAll(notation)) {
    if (match.index > end) tokens.push({ kind: 'text', text: prompt.slice(end, match.index) })
    tokens.push({ kind: kinds.find((kind) => match.groups?.[kind] !== undefined) ?? 'text', text: match[0] })
    end = match.index + match[0].length
  }
  if (end < prompt.length) tokens.push({ kind: 'text', text: prompt.slice(end) })
  return tokens
}
