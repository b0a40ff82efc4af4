export type PromptTokenKind = 'text' | 'weight' | 'network' | 'choice'
export interface PromptToken {
  kind: PromptTokenKind
  text: string
}

// `(word:1.2)`, `<lora:name:0.8>`, `[a|b]` and `{a|b}`: the field's own notation, shown so that it can be told apart.
const notation = /(<[a-z]+:[^<>]+>)|(\([^()]*:\s*\d*\.?\d+\s*\)|\(\([^()]*\)\))|([[{][^[\]{}]*[|:][^[\]{}]*[\]}])/gi

export function promptTokens(prompt: string): PromptToken[] {
  const tokens: PromptToken[] = []
  let end = 0
  for (const match of prompt.matchAll(notation)) {
    if (match.index > end) tokens.push({ kind: 'text', text: prompt.slice(end, match.index) })
    tokens.push({ kind: match[1] ? 'network' : match[2] ? 'weight' : 'choice', text: match[0] })
    end = match.index + match[0].length
  }
  if (end < prompt.length) tokens.push({ kind: 'text', text: prompt.slice(end) })
  return tokens
}
