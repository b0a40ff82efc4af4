import { AppError } from '../../errors/app-error.ts'
import type { Wildcards } from '../expand/fill-template.ts'
import { loneBraces, namesIn, parseTemplate, type Template } from '../expand/template.ts'
import { didYouMean } from '../nearest-name.ts'

/** `error`: the pack can't be queued. `warning`: it can, but it hardly means what was written. */
export interface PromptFinding {
  readonly severity: 'error' | 'warning'
  /** From 0, in the text that was checked. */
  readonly at: number
  readonly message: string
  readonly suggestion: string
}

export interface KnownNames {
  /** Of the matrix; undefined where the pack has none, and `[[x]]` is A1111's. */
  readonly slots: readonly string[] | undefined
  readonly wildcards: Wildcards
}

/** A1111 takes any weight; beyond these the picture falls apart, so it is a slip of the keys (1.2 as 12). */
const weightRange = { least: 0, most: 3 }
const tagWeightRange = { least: -5, most: 5 }

/** What is wrong in a prompt, in the order of the text. */
export function checkPrompt(text: string, known: KnownNames): PromptFinding[] {
  const found = [...unbalanced(text, '(', ')'), ...unbalanced(text, '[', ']'), ...braces(text), ...weights(text)]
  try {
    found.push(...unknownNames(parseTemplate(text), known))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const [message = '', ...rest] = error.message.split(/(?<=\.) /)
    found.push({ severity: 'error', at: Number(error.data.at), message, suggestion: rest.join(' ') })
  }
  return found.sort((a, b) => a.at - b.at)
}

function* unbalanced(text: string, open: string, close: string): Generator<PromptFinding> {
  const opened: number[] = []
  for (let at = 0; at < text.length; at++) {
    // A1111: a backslash makes the next character a plain one.
    if (text[at] === '\\') at++
    else if (text[at] === open) opened.push(at)
    else if (text[at] === close && opened.pop() === undefined)
      yield warning(at, `This ${close} has no ${open}.`, `Remove it, or write \\${close} for a plain one.`)
  }
  for (const at of opened) yield warning(at, `This ${open} has no ${close}.`, `Add it, or write \\${open} for a plain one.`)
}

function* braces(text: string): Generator<PromptFinding> {
  for (const at of loneBraces(text)) {
    const [own, other, advice] = text[at] === '{' ? ['{', '}', 'Add it'] : ['}', '{', 'Remove it']
    yield warning(at, `This ${own} has no ${other} and stays as it is.`, `${advice}, or write \\${own} for a plain one.`)
  }
}

function* weights(text: string): Generator<PromptFinding> {
  const all = [
    { syntax: /:\s*([+-]?\d*\.?\d+)\s*\)/g, ...weightRange },
    { syntax: /<(?:lora|lyco|hypernet):[^<>:]*:([+-]?\d*\.?\d+)[^<>]*>/gi, ...tagWeightRange },
  ]
  for (const { syntax, least, most } of all)
    for (const match of text.matchAll(syntax)) {
      const weight = Number(match[1])
      if (weight >= least && weight <= most) continue
      const at = match.index + match[0].lastIndexOf(match[1]!)
      yield warning(at, `The weight ${match[1]} is out of range.`, `Give one from ${least} to ${most}.`)
    }
}

function* unknownNames(template: Template, { slots, wildcards }: KnownNames): Generator<PromptFinding> {
  for (const node of namesIn(template)) {
    const { kind, name, at } = node
    if (kind === 'slot' && slots !== undefined && !slots.includes(name))
      yield error(
        at,
        `The matrix has no slot "${name}".`,
        `${didYouMean(name, slots)} Add it with its values, or correct the name.`,
      )
    if (kind === 'wildcard' && !node.inTag && !wildcards.get(name)?.length)
      yield error(
        at,
        `The wildcard list "${name}" is ${wildcards.has(name) ? 'empty' : 'missing'}.`,
        `${didYouMean(
          name,
          [...wildcards.keys()].filter((other) => other !== name),
        )} Add the list, or correct the name.`,
      )
  }
}

const warning = (at: number, message: string, suggestion: string): PromptFinding => ({
  severity: 'warning',
  at,
  message,
  suggestion,
})

const error = (at: number, message: string, suggestion: string): PromptFinding => ({
  severity: 'error',
  at,
  message,
  suggestion: suggestion.trim(),
})
