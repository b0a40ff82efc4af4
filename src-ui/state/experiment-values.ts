import { typedValues } from '../../src-sidecar/contract/sweep.ts'
import type { Value } from '../../src-sidecar/contract/variables.ts'

const mostValues = 50

/** Numbers as they are typed, `4..9:1` or `20, 30`; or what is wrong with them. */
export function readValues(text: string): number[] | string {
  const typed = typedValues(text)
  if (typeof typed === 'string') return typed
  const numbers = typed.map((one) => (String(one).trim() === '' ? Number.NaN : Number(one)))
  const bad = numbers.findIndex((one) => !Number.isFinite(one))
  if (bad !== -1) return text.trim() === '' ? 'Give two values at least.' : `"${String(typed[bad]).trim()}" is no number.`
  if (new Set(numbers).size < numbers.length) return 'Two of the values are the same.'
  return numbers.length > mostValues ? `Give at most ${mostValues} values.` : numbers
}

/** Which prompts, from 0, of what is typed as `1-3, 5`; null: all; or what is wrong with it. */
export function readRows(text: string, count: number): number[] | null | string {
  if (text.trim() === '') return null
  const rows = new Set<number>()
  for (const part of text.split(',')) {
    const range = /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(part)
    const [from, to] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])]
    if (!(from >= 1 && to >= from && to <= count)) return `"${part.trim()}" is none of the prompts 1 to ${count}. Write 1-3, 5.`
    for (let row = from; row <= to; row++) rows.add(row - 1)
  }
  return [...rows].sort((a, b) => a - b)
}

/** A value as it is read: without the endings of files. */
export const valueText = (value: Value): string =>
  typeof value === 'number' ? String(value) : value.replace(/\.(safetensors|ckpt|pt|pth|gguf)$/i, '') || 'none'
