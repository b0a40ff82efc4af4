import { describe, expect, test } from 'vitest'
import { completed, completionAt } from '../../src-ui/state/completion.ts'
import { editedOf, newKey, packEditOf, withMoved, withNewRow, withoutRow, withRow } from '../../src-ui/state/edited-pack.ts'
import { noHistory, redone, remembered, type UndoHistory, undone } from '../../src-ui/state/undo-history.ts'

const known = {
  slots: ['mood', 'moon', 'hat'],
  wildcards: ['colour', 'people/hair', 'people/hat'],
  loras: ['add__detail', 'ink'],
  embeddings: ['fine'],
}
const at = (text: string) => completionAt(text.replace('^', ''), text.indexOf('^'), known)?.names ?? null

describe('a name that was begun', () => {
  test.each<[string, string[] | null]>([
    ['a [[^', ['mood', 'moon', 'hat']],
    ['a [[moo^ light', ['mood', 'moon']],
    ['a [[mood]]^', null],
    ['a __^', ['colour', 'people/hair', 'people/hat']],
    ['a __hai^', ['people/hair']],
    ['__colour__^', null],
    ['__colour__ and __people/^', ['people/hair', 'people/hat']],
    ['a __colour cat^', null],
    ['plain^', null],
    ['a <lora:add__d^', ['add__detail']],
    ['a <lora:ink^:0.7>', ['ink']],
    ['a <lora:ink:^', null],
    ['a <embedding:^', ['fine']],
  ])('at the caret of %j is found', (text, names) => {
    expect(at(text)).toEqual(names)
  })

  test('of a LoRA is completed with a weight, unless it has one', () => {
    const take = (text: string, caret: number) => completed(text, caret, completionAt(text, caret, known)!, 'ink').text
    expect(take('a <lora:i', 9)).toBe('a <lora:ink:1>')
    expect(take('a <lora:i:0.7> b', 9)).toBe('a <lora:ink:0.7> b')
  })

  test('is completed with its end, which is not written twice', () => {
    const begun = completionAt('a [[mo]] cat', 6, known)!
    expect(completed('a [[mo]] cat', 6, begun, 'mood')).toEqual({ text: 'a [[mood]] cat', caret: 10 })
    expect(completed('a __h', 5, completionAt('a __h', 5, known)!, 'people/hair')).toEqual({
      text: 'a __people/hair__',
      caret: 17,
    })
  })
})

test('rows are changed, added, removed and moved without touching the others', () => {
  const rows = ['a', 'b', 'c'].map((prompt, from) => ({ from, prompt, negativePrompt: '' }))
  const start = editedOf({ rows, matrix: null })
  const keys = start.rows.map(({ key }) => key)
  const prompts = (edited: typeof start) =>
    packEditOf(edited)
      .rows.map(({ prompt }) => prompt)
      .join('')
  expect(prompts(withRow(start, keys[1]!, { prompt: 'x' }))).toBe('axc')
  expect(prompts(withNewRow(start, { ...start.rows[0]!, key: newKey() }, keys[0]!))).toBe('aabc')
  expect(prompts(withoutRow(start, keys[0]!))).toBe('bc')
  expect([withMoved(start, keys[2]!, -1), withMoved(start, keys[0]!, 5)].map(prompts)).toEqual(['acb', 'bca'])
  expect(withMoved(start, keys[0]!, -1)).toBe(start)
  expect(packEditOf(start)).toEqual({ rows, matrix: null })
})

test('typing in one field is undone as one step, and redone until something else is changed', () => {
  let history: UndoHistory<string> = noHistory
  let now = ''
  const type = (next: string, key: string | null) => {
    history = remembered(history, now, key)
    now = next
  }
  for (const [next, key] of [
    ['a', 'p1'],
    ['ab', 'p1'],
    ['ab|c', 'p2'],
    ['moved', null],
  ] as const)
    type(next, key)
  const seen: string[] = []
  for (let step = undone(history, now); step; step = undone(history, now)) {
    ;({ history, state: now } = step)
    seen.push(now)
  }
  expect(seen).toEqual(['ab|c', 'ab', ''])
  ;({ history, state: now } = redone(history, now)!)
  expect(now).toBe('ab')
  type('other', 'p1')
  expect(redone(history, now)).toBeNull()
})
